// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title What a rollup calls to settle a batch.
interface IProofVerifier {
    /// @notice Reverts unless `proofBytes` proves what `publicValues` says of the program.
    /// @param programVKey Digest of the program's verifying key.
    /// @param publicValues The statement's bytes.
    /// @param proofBytes Four bytes that choose a verifier, and the proof.
    function verifyProof(
        bytes32 programVKey,
        bytes calldata publicValues,
        bytes calldata proofBytes
    ) external view;
}
