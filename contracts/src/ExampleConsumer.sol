// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "./IProofVerifier.sol";
import {ExitKind, Statement, StatementReader} from "./Statement.sol";

/// @title An example: keeps what one program said about inputs.
/// @notice Shows what a consumer has to check besides the proof: which program it was, that the
/// input is public, and how the run ended. A trap is a result like any other.
contract ExampleConsumer {
    /// @notice The input is private, so nothing is known about it.
    error InputIsPrivate();
    /// @notice The program was not called as main.
    error NotMain();
    /// @notice There is a result for this input already.
    error Settled(bytes32 inputDigest);

    /// @notice A proved run.
    event Result(bytes32 indexed inputDigest, ExitKind kind, uint32 code, bytes32 outputDigest);

    /// @notice What is known of an input.
    struct Outcome {
        ExitKind kind;
        uint32 code;
        bytes32 outputDigest;
    }

    /// @notice Who checks proofs.
    IProofVerifier public immutable verifier;
    /// @notice The program.
    bytes32 public immutable program;
    /// @notice The results, by Keccak-256 of the input.
    mapping(bytes32 inputDigest => Outcome) public outcomes;

    /// @param proofVerifier Who checks proofs.
    /// @param programVKey The program.
    constructor(IProofVerifier proofVerifier, bytes32 programVKey) {
        verifier = proofVerifier;
        program = programVKey;
    }

    /// @notice Keeps the result of a proved run.
    /// @param publicValues The statement's bytes.
    /// @param proofBytes The proof.
    function submit(bytes calldata publicValues, bytes calldata proofBytes) external {
        // The proof is checked for this program, so the statement cannot be about another.
        verifier.verifyProof(program, publicValues, proofBytes);
        Statement memory statement = StatementReader.read(publicValues);
        if (statement.inputPrivate) revert InputIsPrivate();
        if (statement.state != 0) revert NotMain();
        bytes32 input = statement.inputDigest;
        if (outcomes[input].kind != ExitKind.None) revert Settled(input);
        outcomes[input] = Outcome(statement.exitKind, statement.exitCode, statement.outputDigest);
        emit Result(input, statement.exitKind, statement.exitCode, statement.outputDigest);
    }
}
