package io.pare.compress.stage;

import io.pare.compress.Variable;
import io.pare.descent.RunState;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A running mean of each weight's squared gradient: the diagonal of the empirical Fisher matrix, by which squared changes of
 * weights tell what they cost the loss.
 *
 * <p>The mean of the first {@value #EVEN} observations counts all alike; from there on the last ones count more. Part of the
 * tensor's mean is added to each square: some weights have no gradient in the samples that were looked at, and still have
 * a price.
 */
final class Fisher {
    private static final int EVEN = 50;
    private static final double OF_TENSOR = 0.05;
    /** Stands for the importance of a tensor without any gradient. */
    private static final float LEAST = 1e-30f;

    private final Map<Variable, FloatTensor> means = new LinkedHashMap<>();
    private long observations;

    /** Takes a float for each element of the variables from the region. */
    Fisher(Region region, Collection<Variable> variables) {
        variables.forEach(variable -> means.computeIfAbsent(variable, each -> region.tensor(each.value().shape())));
    }

    /** The importance of each element, live; meaningless before the first observation. */
    Map<Variable, FloatTensor> importance() {
        return Collections.unmodifiableMap(means);
    }

    boolean known() {
        return observations > 0;
    }

    /** Takes in the present gradients of the plain loss. */
    void observe() {
        observations++;
        double share = Math.max(1.0 / observations, 1.0 / EVEN);
        means.forEach((variable, mean) -> {
            FloatTensor gradient = variable.gradient();
            double part = OF_TENSOR * meanSquare(variable.value(), gradient);
            for (long e = 0; e < mean.count(); e++) {
                double square = (double) gradient.get(e) * gradient.get(e) + part;
                double last = observations == 1 ? 0 : mean.get(e);
                mean.set(e, (float) Math.max(LEAST, last + share * (square - last)));
            }
        });
    }

    /** Of weights that are not zero: those that a mask holds at zero may have no gradient. */
    private static double meanSquare(FloatTensor value, FloatTensor gradient) {
        double sum = 0;
        long count = 0;
        for (long e = 0; e < value.count(); e++) {
            if (value.get(e) != 0) {
                sum += (double) gradient.get(e) * gradient.get(e);
                count++;
            }
        }
        return count == 0 ? 0 : sum / count;
    }

    void visit(RunState state) {
        observations = state.count("fisher.observations", observations);
        means.forEach((variable, mean) -> state.tensor("fisher." + variable.name(), mean));
    }
}
