package io.pare.kernel;

/**
 * Settings of Adam (Kingma and Ba, 1412.6980) and, where {@code decoupled}, AdamW (Loshchilov and Hutter, 1711.05101).
 *
 * <p>{@code m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g g;
 * w -= rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)}. Coupled decay adds {@code decay * w} to
 * {@code g}; decoupled decay takes {@code rate * decay * w} from {@code w} before the step.
 *
 * @param beta1 in [0, 1), usually 0.9
 * @param beta2 in [0, 1), usually 0.999
 * @param epsilon above 0, usually 1e-8
 * @param decay weight decay, at least 0
 * @param decoupled AdamW's decay
 */
public record Adam(float beta1, float beta2, float epsilon, float decay, boolean decoupled) {
    /** Checks the ranges. */
    public Adam {
        if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1 && epsilon > 0 && decay >= 0)) {
            throw new IllegalArgumentException("betas must be in [0, 1), epsilon above 0 and decay at least 0: " + beta1
                    + ", " + beta2 + ", " + epsilon + ", " + decay);
        }
    }

    /** Adam with the usual betas and epsilon and no decay. */
    public static final Adam STANDARD = new Adam(0.9f, 0.999f, 1e-8f, 0, false);
}
