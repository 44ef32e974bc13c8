package io.pare.net;

/**
 * A network as a file holds it.
 *
 * @param scaled whether the file says how pixels become inputs; otherwise the weights have {@link InputScale#usual}
 */
public record StoredNetwork(CompressedWeights weights, boolean scaled) {}
