// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title A verifier of one circuit's proofs, without owner and without state.
interface IGroth16Verifier {
    /// @notice Digest of the verifying key, the circuit and how the key was made.
    function VERIFIER_DIGEST() external view returns (bytes32);

    /// @notice Whether the key was made from a public seed: then anyone can forge proofs.
    function DEVELOPMENT() external view returns (bool);

    /// @notice Reverts unless the proof shows that the circuit has an assignment.
    /// @param proof A (x, y), B (x, y, each with the imaginary part first), C (x, y).
    /// @param inputs The public inputs: the program, and the digest of the statement.
    function verifyProof(uint256[8] calldata proof, uint256[2] calldata inputs) external view;
}
