package io.pare.net;

import java.util.List;

/**
 * A network as a file holds it.
 *
 * @param weights the network and its tensors
 * @param scaled whether the file says how pixels become inputs; otherwise the weights have {@link InputScale#usual}
 * @param byOrder whether the file's tensors have other names than the network's parameters, and were taken in the file's
 *            order as all kinds and shapes agree
 * @param notes what a user should know of the network, a line each: where it is not to the bit what the file says
 */
public record StoredNetwork(CompressedWeights weights, boolean scaled, boolean byOrder, List<String> notes) {
    /** Copies the notes. */
    public StoredNetwork {
        notes = List.copyOf(notes);
    }

    /**
     * With weights that were found by name, and nothing to say of them.
     *
     * @param weights the network and its tensors
     * @param scaled whether the file says how pixels become inputs
     */
    public StoredNetwork(CompressedWeights weights, boolean scaled) {
        this(weights, scaled, false, List.of());
    }
}
