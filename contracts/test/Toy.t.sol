// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ExampleConsumer} from "../src/ExampleConsumer.sol";
import {Gateway} from "../src/Gateway.sol";
import {ExitKind} from "../src/Statement.sol";
import {Test} from "./Vm.sol";
import {Groth16Verifier} from "./toy/Groth16Verifier.sol";

/// @notice A real proof, of a toy circuit: whoever made it knows the bytes of the statement, which
/// says nothing about a program. The public inputs are those of real proofs.
contract ToyTest is Test {
    uint256 private constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    uint256 private constant Q = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;

    Groth16Verifier private verifier = new Groth16Verifier();
    Gateway private gateway = new Gateway(address(this), true);
    bytes32 private program;
    bytes private statement;
    bytes private proof;
    uint256[8] private words;
    uint256[2] private inputs;

    function setUp() public {
        gateway.addRoute(address(verifier));
        string memory json = vm.readFile("test/toy/proof.json");
        statement = vm.parseJsonBytes(json, ".publicValues");
        proof = vm.parseJsonBytes(json, ".proofBytes");
        program = bytes32(vm.parseJsonBytes(json, ".programVKey"));
        words = this.decode(proof);
        uint256 mask = (1 << 253) - 1;
        inputs = [uint256(program) & mask, uint256(sha256(statement)) & mask];
    }

    function decode(bytes calldata data) external pure returns (uint256[8] memory) {
        return abi.decode(data[4:], (uint256[8]));
    }

    function test_Accepted() public view {
        gateway.verifyProof(program, statement, proof);
        verifier.verifyProof(words, inputs);
    }

    function test_SmallEnough() public view {
        check(address(verifier).code.length < 24_576, "EIP-170");
        check(address(gateway).code.length < 24_576, "EIP-170");
    }

    function testFuzz_EveryBitOfTheProof(uint8 byteIndex, uint8 bit) public {
        bytes memory wrong = proof;
        wrong[4 + uint256(byteIndex)] ^= bytes1(uint8(1 << (bit % 8)));
        vm.expectRevert(Groth16Verifier.ProofRejected.selector);
        gateway.verifyProof(program, statement, wrong);
    }

    function testFuzz_EveryBitOfTheStatement(uint16 byteIndex, uint8 bit) public {
        bytes memory wrong = statement;
        wrong[byteIndex % 161] ^= bytes1(uint8(1 << (bit % 8)));
        vm.expectRevert();
        gateway.verifyProof(program, wrong, proof);
    }

    function testFuzz_OtherProgram(bytes32 other) public {
        vm.assume(other != program);
        vm.expectRevert(Gateway.StatementOfOtherProgram.selector);
        gateway.verifyProof(other, statement, proof);
    }

    function testFuzz_RandomProof(uint256[8] memory random) public {
        vm.expectRevert(Groth16Verifier.ProofRejected.selector);
        verifier.verifyProof(random, inputs);
    }

    function testFuzz_RandomInputs(uint256 a, uint256 b) public {
        uint256[2] memory right = inputs;
        a %= R;
        b %= R;
        vm.assume(a != right[0] || b != right[1]);
        vm.expectRevert(Groth16Verifier.ProofRejected.selector);
        verifier.verifyProof(words, [a, b]);
    }

    function test_InputsAreCanonical() public {
        uint256[2] memory right = inputs;
        for (uint256 i = 0; i < 2; i++) {
            for (uint256 k = 1; k <= 4; k++) {
                uint256[2] memory wrong = [right[0], right[1]];
                wrong[i] = right[i] + k * R;
                vm.expectRevert(Groth16Verifier.InputNotCanonical.selector);
                verifier.verifyProof(words, wrong);
            }
        }
    }

    function test_CoordinatesAreCanonical() public {
        for (uint256 i = 0; i < 8; i++) {
            uint256[8] memory wrong = words;
            wrong[i] += Q;
            // A precompiled contract that fails takes all gas it is given.
            vm.expectRevert(Groth16Verifier.ProofRejected.selector);
            verifier.verifyProof{gas: 500_000}(wrong, inputs);
        }
    }

    function test_InfinityIsNoProof() public {
        uint256[8] memory wrong;
        vm.expectRevert(Groth16Verifier.ProofRejected.selector);
        verifier.verifyProof(wrong, inputs);
    }

    function test_NoGasNoProof() public view {
        (bool accepted,) = address(verifier).staticcall{gas: 120_000}(
            abi.encodeCall(verifier.verifyProof, (words, inputs))
        );
        check(!accepted, "out of gas is no proof");
    }

    function test_ConsumerKeepsResults() public {
        ExampleConsumer consumer = new ExampleConsumer(gateway, program);
        consumer.submit(statement, proof);
        bytes32 input;
        bytes32 output;
        bytes memory values = statement;
        assembly ("memory-safe") {
            input := mload(add(values, 81))
            output := mload(add(values, 161))
        }
        (ExitKind kind, uint32 code, bytes32 kept) = consumer.outcomes(input);
        check(kind == ExitKind.Ok && code == 0 && kept == output, "kept");
        vm.expectRevert(abi.encodeWithSelector(ExampleConsumer.Settled.selector, input));
        consumer.submit(statement, proof);
        ExampleConsumer other = new ExampleConsumer(gateway, bytes32(uint256(program) + 1));
        vm.expectRevert(Gateway.StatementOfOtherProgram.selector);
        other.submit(statement, proof);
    }
}
