package io.pare.compress.stage;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** How far a network's outputs are from those that it had in the beginning. */
final class OutputChange {
    private final Supplier<float @Nullable []> outputs;
    private final float @Nullable [] before;

    /**
     * Begins with a network as it is to be.
     *
     * @param outputs for some inputs, as the network's tensors are when asked; {@code null} if not known
     */
    OutputChange(Supplier<float @Nullable []> outputs) {
        this.outputs = outputs;
        this.before = outputs.get();
    }

    /**
     * {@return the squared change of the outputs over their square}
     *
     * @param unknown what it is where outputs are not known
     */
    double orElse(double unknown) {
        if (before == null) {
            return unknown;
        }
        float[] now = outputs.get();
        double sum = 0;
        double all = 0;
        for (int i = 0; i < before.length; i++) {
            double change = now[i] - before[i];
            sum += change * change;
            all += (double) before[i] * before[i];
        }
        return all > 0 ? sum / all : 0;
    }
}
