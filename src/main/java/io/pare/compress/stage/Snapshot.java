package io.pare.compress.stage;

import io.pare.compress.RunState;
import io.pare.compress.Variable;
import io.pare.kernel.Kernels;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A copy, or a running mean, of the values of some variables. The memory belongs to the region. */
public final class Snapshot {
    private final Map<Variable, FloatTensor> copies = new LinkedHashMap<>();
    private long averaged;

    public Snapshot(Region region, List<Variable> variables) {
        variables.forEach(variable -> copies.put(variable, region.tensor(variable.value().shape())));
    }

    public void take() {
        copies.forEach((variable, copy) -> copy.copyFrom(variable.value()));
    }

    public void restore() {
        copies.forEach((variable, copy) -> variable.value().copyFrom(copy));
    }

    /** Changes places with the live values. */
    void swap() {
        copies.forEach((variable, copy) -> {
            FloatTensor live = variable.value();
            for (long i = 0; i < copy.count(); i++) {
                float kept = copy.get(i);
                copy.set(i, live.get(i));
                live.set(i, kept);
            }
        });
    }

    /** Adds the live values to the mean of those seen so far. */
    void average() {
        averaged++;
        Kernels kernels = Kernels.active();
        copies.forEach((variable, copy) -> {
            kernels.scale((float) (1 - 1.0 / averaged), copy.segment(), 0, copy.count());
            kernels.axpy((float) (1.0 / averaged), variable.value().segment(), 0, copy.segment(), 0, copy.count());
        });
    }

    long averaged() {
        return averaged;
    }

    void forget() {
        averaged = 0;
        copies.values().forEach(copy -> copy.fill(0f));
    }

    /** Sum of squared differences between the copies and the live values. */
    public double squaredDistance() {
        return squaredDistances().values().stream().mapToDouble(Double::doubleValue).sum();
    }

    /** The same by variable. */
    Map<String, Double> squaredDistances() {
        Map<String, Double> sums = new LinkedHashMap<>();
        copies.forEach((variable, copy) -> {
            FloatTensor live = variable.value();
            double sum = 0;
            for (long i = 0; i < copy.count(); i++) {
                double off = (double) live.get(i) - copy.get(i);
                sum += off * off;
            }
            sums.put(variable.name(), sum);
        });
        return sums;
    }

    public void visit(RunState state, String name) {
        averaged = state.count(name + ".averaged", averaged);
        copies.forEach((variable, copy) -> state.tensor(name + "." + variable.name(), copy));
    }
}
