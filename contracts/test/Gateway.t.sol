// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Gateway} from "../src/Gateway.sol";
import {IGroth16Verifier} from "../src/IGroth16Verifier.sol";
import {Test} from "./Vm.sol";

/// @dev A verifier that accepts whatever is set.
contract FakeVerifier is IGroth16Verifier {
    bytes32 public immutable VERIFIER_DIGEST;
    bool public immutable DEVELOPMENT;
    bytes32 private immutable expected;

    error Refused();

    constructor(bytes32 digest, bool development, bytes32 expectedCall) {
        VERIFIER_DIGEST = digest;
        DEVELOPMENT = development;
        expected = expectedCall;
    }

    function verifyProof(uint256[8] calldata proof, uint256[2] calldata inputs) external view {
        if (keccak256(abi.encode(proof, inputs)) != expected) revert Refused();
    }
}

/// @notice What the gateway does besides the proof.
contract GatewayTest is Test {
    bytes32 private constant DIGEST = bytes32(uint256(0xabcdef01) << 224);
    bytes32 private constant PROGRAM = keccak256("program");

    Gateway private gateway = new Gateway(address(this), false);

    function statement(bytes32 program, bytes memory rest) private pure returns (bytes memory) {
        return abi.encodePacked(uint32(1), program, rest);
    }

    function proof() private pure returns (uint256[8] memory words) {
        for (uint256 i = 0; i < 8; i++) {
            words[i] = uint256(keccak256(abi.encode(i)));
        }
    }

    function fake(bytes32 program, bytes memory values, bool development)
        private
        returns (FakeVerifier)
    {
        uint256 mask = (1 << 253) - 1;
        uint256[2] memory inputs = [uint256(program) & mask, uint256(sha256(values)) & mask];
        bytes32 expected = keccak256(abi.encode(proof(), inputs));
        return new FakeVerifier(DIGEST, development, expected);
    }

    function testFuzz_PassesProgramAndDigest(bytes32 program, bytes32 a, bytes32 b) public {
        bytes memory values = statement(program, abi.encodePacked(a, b, a, bytes29(b)));
        check(values.length == 161, "length");
        gateway.addRoute(address(fake(program, values, false)));
        bytes memory call = abi.encodePacked(bytes4(DIGEST), abi.encode(proof()));
        gateway.verifyProof(program, values, call);
        // Any other byte of the statement is another input.
        values[161 - 1 - uint8(a[0]) % 125] ^= 0x01;
        vm.expectRevert(FakeVerifier.Refused.selector);
        gateway.verifyProof(program, values, call);
    }

    function testFuzz_LengthsAreExact(uint16 length, uint16 proofLength) public {
        vm.assume(length != 161);
        vm.assume(proofLength != 260);
        vm.expectRevert(Gateway.StatementMalformed.selector);
        gateway.verifyProof(PROGRAM, new bytes(length % 1024), new bytes(260));
        bytes memory values = statement(PROGRAM, new bytes(125));
        vm.expectRevert(Gateway.ProofMalformed.selector);
        gateway.verifyProof(PROGRAM, values, new bytes(proofLength % 1024));
    }

    function testFuzz_VersionAndProgram(uint32 version, bytes32 other) public {
        vm.assume(version != 1);
        vm.assume(other != PROGRAM);
        bytes memory values = abi.encodePacked(version, PROGRAM, new bytes(125));
        vm.expectRevert(Gateway.StatementMalformed.selector);
        gateway.verifyProof(PROGRAM, values, new bytes(260));
        values = statement(other, new bytes(125));
        vm.expectRevert(Gateway.StatementOfOtherProgram.selector);
        gateway.verifyProof(PROGRAM, values, new bytes(260));
    }

    function testFuzz_OnlyKnownSelectors(bytes4 selector) public {
        bytes memory values = statement(PROGRAM, new bytes(125));
        gateway.addRoute(address(fake(PROGRAM, values, false)));
        vm.assume(selector != bytes4(DIGEST));
        bytes memory call = abi.encodePacked(selector, abi.encode(proof()));
        vm.expectRevert(abi.encodeWithSelector(Gateway.RouteNotFound.selector, selector));
        gateway.verifyProof(PROGRAM, values, call);
    }

    function test_FrozenForGood() public {
        bytes memory values = statement(PROGRAM, new bytes(125));
        FakeVerifier verifier = fake(PROGRAM, values, false);
        gateway.addRoute(address(verifier));
        bytes memory call = abi.encodePacked(bytes4(DIGEST), abi.encode(proof()));
        gateway.verifyProof(PROGRAM, values, call);
        gateway.freezeRoute(bytes4(DIGEST));
        vm.expectRevert(abi.encodeWithSelector(Gateway.RouteFrozen.selector, bytes4(DIGEST)));
        gateway.verifyProof(PROGRAM, values, call);
        vm.expectRevert(abi.encodeWithSelector(Gateway.RouteFrozen.selector, bytes4(DIGEST)));
        gateway.freezeRoute(bytes4(DIGEST));
        vm.expectRevert(abi.encodeWithSelector(Gateway.RouteExists.selector, bytes4(DIGEST)));
        gateway.addRoute(address(verifier));
        vm.expectRevert(abi.encodeWithSelector(Gateway.RouteNotFound.selector, bytes4(0)));
        gateway.freezeRoute(bytes4(0));
    }

    function test_DevelopmentKeysNeedLeave() public {
        FakeVerifier verifier = fake(PROGRAM, "", true);
        vm.expectRevert(Gateway.DevelopmentVerifier.selector);
        gateway.addRoute(address(verifier));
        Gateway tests = new Gateway(address(this), true);
        tests.addRoute(address(verifier));
    }

    function testFuzz_OnlyTheOwner(address caller) public {
        vm.assume(caller != address(this));
        FakeVerifier verifier = fake(PROGRAM, "", false);
        vm.prank(caller);
        vm.expectRevert(Gateway.NotOwner.selector);
        gateway.addRoute(address(verifier));
        gateway.addRoute(address(verifier));
        vm.prank(caller);
        vm.expectRevert(Gateway.NotOwner.selector);
        gateway.freezeRoute(bytes4(DIGEST));
        vm.prank(caller);
        vm.expectRevert(Gateway.NotOwner.selector);
        gateway.offerOwnership(caller);
    }

    function testFuzz_OwnershipTakesTwoSteps(address next, address other) public {
        vm.assume(next != address(0) && next != other && next != address(this));
        gateway.offerOwnership(next);
        check(gateway.owner() == address(this), "offered, not taken");
        vm.prank(other);
        vm.expectRevert(Gateway.NotPendingOwner.selector);
        gateway.takeOwnership();
        vm.prank(next);
        gateway.takeOwnership();
        check(gateway.owner() == next, "taken");
        check(gateway.pendingOwner() == address(0), "no offer left");
        vm.prank(next);
        vm.expectRevert(Gateway.NotPendingOwner.selector);
        gateway.takeOwnership();
        vm.expectRevert(Gateway.NotOwner.selector);
        gateway.offerOwnership(other);
    }

    function test_SomebodyOwnsIt() public {
        vm.expectRevert(Gateway.NotOwner.selector);
        new Gateway(address(0), false);
        // An offer can be taken back.
        gateway.offerOwnership(address(1));
        gateway.offerOwnership(address(0));
        vm.prank(address(1));
        vm.expectRevert(Gateway.NotPendingOwner.selector);
        gateway.takeOwnership();
    }
}
