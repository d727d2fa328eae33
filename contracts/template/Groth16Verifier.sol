// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGroth16Verifier} from "./IGroth16Verifier.sol";

/// @title Verifier of one circuit's Groth16 proofs over BN254.
/// @notice Written by `rwprove`; the constants are the verifying key.
/// {{ORIGIN}}
/// @dev No owner, no state, no upgrade. A proof can be turned into other proofs of the same
/// inputs, so a proof's bytes are no name for what it proves.
contract Groth16Verifier is IGroth16Verifier {
    /// @notice An input is not below the order of the scalar field.
    error InputNotCanonical();
    /// @notice The proof is not one of these inputs.
    error ProofRejected();

    /// @inheritdoc IGroth16Verifier
    bytes32 public constant VERIFIER_DIGEST =
        {{DIGEST}};
    /// @inheritdoc IGroth16Verifier
    bool public constant DEVELOPMENT = {{DEVELOPMENT}};

    /// @dev Order of the scalar field.
    uint256 private constant R = {{R}};

    // The verifying key. Of points over the extension the imaginary part stands first; beta, gamma
    // and delta stand with a negative y, so that the pairings of a proof multiply to one.
{{KEY}}

    /// @inheritdoc IGroth16Verifier
    function verifyProof(uint256[8] calldata proof, uint256[2] calldata inputs) external view {
        if (inputs[0] >= R || inputs[1] >= R) revert InputNotCanonical();
        bool accepted;
        assembly ("memory-safe") {
            let m := mload(0x40)

            // The sum of the inputs' points: the running sum stands at m, the next product at
            // m + 0x40. The precompiled contracts fail on points outside the curve.
            mstore(m, IC0_X)
            mstore(add(m, 0x20), IC0_Y)

            mstore(add(m, 0x40), IC1_X)
            mstore(add(m, 0x60), IC1_Y)
            mstore(add(m, 0x80), calldataload(inputs))
            accepted := staticcall(gas(), 7, add(m, 0x40), 0x60, add(m, 0x40), 0x40)
            accepted := and(accepted, staticcall(gas(), 6, m, 0x80, m, 0x40))

            mstore(add(m, 0x40), IC2_X)
            mstore(add(m, 0x60), IC2_Y)
            mstore(add(m, 0x80), calldataload(add(inputs, 0x20)))
            accepted := and(accepted, staticcall(gas(), 7, add(m, 0x40), 0x60, add(m, 0x40), 0x40))
            accepted := and(accepted, staticcall(gas(), 6, m, 0x80, m, 0x40))

            // e(sum, -gamma) e(C, -delta) e(alpha, -beta) e(A, B) = 1. The contract of pairings
            // fails on coordinates that are not canonical and on points outside their groups.
            mstore(add(m, 0x40), GAMMA_X1)
            mstore(add(m, 0x60), GAMMA_X0)
            mstore(add(m, 0x80), GAMMA_Y1)
            mstore(add(m, 0xa0), GAMMA_Y0)

            calldatacopy(add(m, 0xc0), add(proof, 0xc0), 0x40)
            mstore(add(m, 0x100), DELTA_X1)
            mstore(add(m, 0x120), DELTA_X0)
            mstore(add(m, 0x140), DELTA_Y1)
            mstore(add(m, 0x160), DELTA_Y0)

            mstore(add(m, 0x180), ALPHA_X)
            mstore(add(m, 0x1a0), ALPHA_Y)
            mstore(add(m, 0x1c0), BETA_X1)
            mstore(add(m, 0x1e0), BETA_X0)
            mstore(add(m, 0x200), BETA_Y1)
            mstore(add(m, 0x220), BETA_Y0)

            calldatacopy(add(m, 0x240), proof, 0xc0)

            accepted := and(accepted, staticcall(gas(), 8, m, 0x300, m, 0x20))
            accepted := and(accepted, mload(m))
        }
        if (!accepted) revert ProofRejected();
    }
}
