package io.pare.net;

/**
 * A network as a file holds it.
 *
 * @param scaled whether the file says how pixels become inputs; otherwise the weights have {@link InputScale#usual}
 * @param byOrder whether the file's tensors have other names than the network's parameters, and were taken in the file's
 *            order as all kinds and shapes agree
 */
public record StoredNetwork(CompressedWeights weights, boolean scaled, boolean byOrder) {
    /** With weights that were found by name. */
    public StoredNetwork(CompressedWeights weights, boolean scaled) {
        this(weights, scaled, false);
    }
}
