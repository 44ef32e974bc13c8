package io.pare.compress;

import io.pare.kernel.Kernels;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A copy, or a running mean, of the values of some variables. The memory belongs to the region. */
final class Snapshot {
    private final Map<Variable, FloatTensor> copies = new LinkedHashMap<>();
    private long averaged;

    Snapshot(Region region, List<Variable> variables) {
        variables.forEach(variable -> copies.put(variable, region.tensor(variable.value().shape())));
    }

    void take() {
        copies.forEach((variable, copy) -> copy.copyFrom(variable.value()));
    }

    void restore() {
        copies.forEach((variable, copy) -> variable.value().copyFrom(copy));
    }

    /** Changes places with the live values. */
    void swap() {
        copies.forEach((variable, copy) -> {
            float[] live = variable.value().toArray();
            variable.value().copyFrom(copy);
            copy.copyFrom(live);
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
    double squaredDistance() {
        double sum = 0;
        for (Map.Entry<Variable, FloatTensor> entry : copies.entrySet()) {
            float[] copy = entry.getValue().toArray();
            float[] live = entry.getKey().value().toArray();
            for (int i = 0; i < copy.length; i++) {
                double off = (double) live[i] - copy[i];
                sum += off * off;
            }
        }
        return sum;
    }

    void visit(State state, String name) {
        averaged = state.whole(name + ".averaged", averaged);
        copies.forEach((variable, copy) -> state.tensor(name + "." + variable.name(), copy));
    }
}
