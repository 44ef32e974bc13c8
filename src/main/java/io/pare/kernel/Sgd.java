package io.pare.kernel;

/**
 * Settings of stochastic gradient descent with momentum, as PyTorch defines it without dampening.
 *
 * <p>{@code g += decay * w; v = momentum * v + g; w -= rate * (nesterov ? g + momentum * v : v)}.
 *
 * @param momentum in [0, 1)
 * @param decay coupled (L2) weight decay, at least 0
 * @param nesterov whether the step looks ahead
 */
public record Sgd(float momentum, float decay, boolean nesterov) {
    /** Checks the ranges. */
    public Sgd {
        if (!(momentum >= 0 && momentum < 1 && decay >= 0)) {
            throw new IllegalArgumentException("momentum must be in [0, 1) and decay at least 0: " + momentum + ", "
                    + decay);
        }
    }
}
