package io.pare.run;

import io.pare.data.Dataset;
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
     * @param chance loss of guessing: a loss is compared with this at least, for what is trained begins low
     * @param advice what to do
     */
    Divergence(double chance, String advice, Consumer<String> warnings) {
        this.chance = chance;
        this.advice = advice;
        this.warnings = warnings;
    }

    /** For a training on a set, of a network with so many outputs. */
    static Divergence of(Dataset data, int outputs, String advice, Consumer<String> warnings) {
        return new Divergence(switch (data.task()) {
            case CLASSIFY -> Math.log(outputs);
            case MULTILABEL -> Math.log(2);
            case REGRESS -> variance(data);
        }, advice, warnings);
    }

    /** The squared error of each output's mean. */
    private static double variance(Dataset data) {
        double variance = 0;
        for (int output = 0; output < data.classes(); output++) {
            double sum = 0;
            double squares = 0;
            for (int i = 0; i < data.size(); i++) {
                double target = data.target(i, output);
                sum += target;
                squares += target * target;
            }
            variance += Math.max(0, squares - sum * sum / data.size()) / data.size() / data.classes();
        }
        return variance;
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
