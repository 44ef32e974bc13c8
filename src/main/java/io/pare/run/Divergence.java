package io.pare.run;

import java.util.Locale;
import java.util.function.Consumer;

/** Watches a training's loss and says so, once, when it grows out of all proportion. One thread at a time. */
final class Divergence {
    private static final double TIMES = 10;

    private final double chance;
    private final String advice;
    private final Consumer<String> warnings;
    private double first = Double.NaN;
    private boolean told;

    /**
     * @param classes of the network: a loss is compared with that of guessing at least, for what is trained begins low
     * @param advice what to do
     */
    Divergence(int classes, String advice, Consumer<String> warnings) {
        this.chance = Math.log(classes);
        this.advice = advice;
        this.warnings = warnings;
    }

    /** The next loss is a first one. */
    void restart() {
        first = Double.NaN;
    }

    /** Looks at a mean loss. */
    void see(double loss) {
        if (Double.isNaN(first)) {
            first = loss;
        }
        if (!told && loss > TIMES * Math.max(first, chance)) {
            told = true;
            warnings.accept(String.format(Locale.ROOT,
                    "warning: the loss has grown from %.3g to %.3g, training diverges: %s", first, loss, advice));
        }
    }
}
