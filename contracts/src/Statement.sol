// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title What a proof says.
/// @notice The program `vkey`, called with `state`, within `fuelLimit`, on the input, ended as
/// `exitKind` and `exitCode` say after consuming `fuel`, having written the output.
struct Statement {
    /// Digest of machine, preset and program.
    bytes32 vkey;
    /// 0: main, 1: deploy.
    uint32 state;
    /// Fuel limit; 2^64 - 1 is none.
    uint64 fuelLimit;
    /// Whether the input's digest is left out.
    bool inputPrivate;
    /// Keccak-256 of the input, zero if private.
    bytes32 inputDigest;
    /// Digest of the host's answers.
    bytes32 host;
    /// How it ended.
    ExitKind exitKind;
    /// Exit code or trap code.
    uint32 exitCode;
    /// Fuel consumed.
    uint64 fuel;
    /// Keccak-256 of the output.
    bytes32 outputDigest;
}

/// @notice How a run ended.
enum ExitKind {
    /// Not used.
    None,
    /// It returned.
    Ok,
    /// It exited with a code.
    Code,
    /// It trapped.
    Trap
}

/// @title Reads statements.
library StatementReader {
    /// @notice The bytes are no statement.
    error NoStatement();

    /// @dev All numbers are big endian; see `isa/src/statement.rs` for the layout.
    /// @param data The bytes.
    /// @return statement What they say.
    function read(bytes calldata data) internal pure returns (Statement memory statement) {
        if (data.length != 161 || uint32(bytes4(data[:4])) != 1) revert NoStatement();
        statement.vkey = bytes32(data[4:36]);
        statement.state = uint32(bytes4(data[36:40]));
        statement.fuelLimit = uint64(bytes8(data[40:48]));
        uint8 flag = uint8(data[48]);
        statement.inputPrivate = flag == 1;
        statement.inputDigest = bytes32(data[49:81]);
        if (flag > 1 || (flag == 1 && statement.inputDigest != 0)) revert NoStatement();
        statement.host = bytes32(data[81:113]);
        uint32 kind = uint32(bytes4(data[113:117]));
        if (kind == 0 || kind > uint32(ExitKind.Trap)) revert NoStatement();
        statement.exitKind = ExitKind(kind);
        statement.exitCode = uint32(bytes4(data[117:121]));
        statement.fuel = uint64(bytes8(data[121:129]));
        statement.outputDigest = bytes32(data[129:161]);
    }
}
