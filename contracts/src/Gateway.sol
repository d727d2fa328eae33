// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IGroth16Verifier} from "./IGroth16Verifier.sol";
import {IProofVerifier} from "./IProofVerifier.sol";

/// @title One address for verifiers of all versions.
/// @notice A proof begins with the first four bytes of its verifier's digest. The owner adds
/// verifiers and freezes broken ones; nobody can replace one or undo a freeze.
contract Gateway is IProofVerifier {
    /// @notice A verifier.
    struct Route {
        address verifier;
        bool frozen;
    }

    /// @notice The caller is not the owner.
    error NotOwner();
    /// @notice The caller was not offered the ownership.
    error NotPendingOwner();
    /// @notice There is a verifier with this selector already.
    error RouteExists(bytes4 selector);
    /// @notice There is no verifier with this selector.
    error RouteNotFound(bytes4 selector);
    /// @notice The verifier with this selector is frozen.
    error RouteFrozen(bytes4 selector);
    /// @notice The verifier's key was made from a public seed.
    error DevelopmentVerifier();
    /// @notice The statement has another length or version.
    error StatementMalformed();
    /// @notice The statement is about another program.
    error StatementOfOtherProgram();
    /// @notice The proof has another length.
    error ProofMalformed();

    /// @notice A verifier was added.
    event RouteAdded(bytes4 indexed selector, address verifier);
    /// @notice A verifier was frozen, for good.
    event RouteFroze(bytes4 indexed selector);
    /// @notice The ownership was offered.
    event OwnershipOffered(address indexed from, address indexed to);
    /// @notice The ownership was taken.
    event OwnershipTaken(address indexed from, address indexed to);

    /// @dev Bytes of a statement.
    uint256 private constant STATEMENT_BYTES = 161;
    /// @dev Version of statements' layout.
    uint32 private constant STATEMENT_VERSION = 1;
    /// @dev Bytes of a proof with its selector.
    uint256 private constant PROOF_BYTES = 4 + 256;
    /// @dev Digests lose their top three bits to be inputs of the circuit.
    uint256 private constant INPUT_MASK = (1 << 253) - 1;

    /// @notice Who adds and freezes verifiers.
    address public owner;
    /// @notice Who may take the ownership.
    address public pendingOwner;
    /// @notice Whether verifiers with keys from a public seed may be added: for tests.
    bool public immutable allowsDevelopment;
    /// @notice The verifiers by selector.
    mapping(bytes4 selector => Route) public routes;

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotOwner();
        _;
    }

    /// @param firstOwner Who adds and freezes verifiers.
    /// @param allowDevelopment Whether insecure verifiers may be added: for tests.
    constructor(address firstOwner, bool allowDevelopment) {
        if (firstOwner == address(0)) revert NotOwner();
        owner = firstOwner;
        allowsDevelopment = allowDevelopment;
        emit OwnershipTaken(address(0), firstOwner);
    }

    /// @inheritdoc IProofVerifier
    function verifyProof(
        bytes32 programVKey,
        bytes calldata publicValues,
        bytes calldata proofBytes
    ) external view {
        if (publicValues.length != STATEMENT_BYTES) {
            revert StatementMalformed();
        }
        if (uint32(bytes4(publicValues[:4])) != STATEMENT_VERSION) revert StatementMalformed();
        if (bytes32(publicValues[4:36]) != programVKey) revert StatementOfOtherProgram();
        if (proofBytes.length != PROOF_BYTES) revert ProofMalformed();
        bytes4 selector = bytes4(proofBytes[:4]);
        Route memory route = routes[selector];
        if (route.verifier == address(0)) revert RouteNotFound(selector);
        if (route.frozen) revert RouteFrozen(selector);
        uint256[2] memory inputs;
        inputs[0] = uint256(programVKey) & INPUT_MASK;
        inputs[1] = uint256(sha256(publicValues)) & INPUT_MASK;
        uint256[8] memory proof = abi.decode(proofBytes[4:], (uint256[8]));
        IGroth16Verifier(route.verifier).verifyProof(proof, inputs);
    }

    /// @notice Adds a verifier under the selector that its digest begins with.
    /// @param verifier The verifier.
    function addRoute(address verifier) external onlyOwner {
        if (IGroth16Verifier(verifier).DEVELOPMENT() && !allowsDevelopment) {
            revert DevelopmentVerifier();
        }
        bytes4 selector = bytes4(IGroth16Verifier(verifier).VERIFIER_DIGEST());
        if (routes[selector].verifier != address(0)) revert RouteExists(selector);
        routes[selector].verifier = verifier;
        emit RouteAdded(selector, verifier);
    }

    /// @notice Refuses all proofs for a verifier from now on, for good.
    /// @param selector What its digest begins with.
    function freezeRoute(bytes4 selector) external onlyOwner {
        Route storage route = routes[selector];
        if (route.verifier == address(0)) revert RouteNotFound(selector);
        if (route.frozen) revert RouteFrozen(selector);
        route.frozen = true;
        emit RouteFroze(selector);
    }

    /// @notice Offers the ownership; the zero address takes an offer back.
    /// @param to Who may take it.
    function offerOwnership(address to) external onlyOwner {
        pendingOwner = to;
        emit OwnershipOffered(owner, to);
    }

    /// @notice Takes the ownership that was offered.
    function takeOwnership() external {
        if (msg.sender != pendingOwner) revert NotPendingOwner();
        emit OwnershipTaken(owner, msg.sender);
        owner = msg.sender;
        pendingOwner = address(0);
    }
}
