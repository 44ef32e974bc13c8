package io.pare.descent;

import io.pare.kernel.Kernels;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.LinkedHashMap;
import java.util.Map;

/** A copy of some live values, zero at first. The copy's memory belongs to the region. One thread at a time. */
public final class Snapshot {
    private final Map<String, FloatTensor> live;
    private final Map<String, FloatTensor> copies = new LinkedHashMap<>();

    /**
     * Takes memory for a copy of each value.
     *
     * @param region owns the copies
     * @param live by name, in the order in which they are saved
     */
    public Snapshot(Region region, Map<String, FloatTensor> live) {
        this.live = live;
        live.forEach((name, value) -> copies.put(name, region.tensor(value.shape())));
    }

    /** Copies the live values. */
    public void take() {
        copies.forEach((name, copy) -> copy.copyFrom(live.get(name)));
    }

    /** Makes the copy the live values. */
    public void restore() {
        copies.forEach((name, copy) -> live.get(name).copyFrom(copy));
    }

    /** Changes places with the live values. */
    public void swap() {
        copies.forEach((name, copy) -> {
            FloatTensor value = live.get(name);
            for (long i = 0; i < copy.count(); i++) {
                float kept = copy.get(i);
                copy.set(i, value.get(i));
                value.set(i, kept);
            }
        });
    }

    /**
     * Moves the copy by that share of the way to the live values; all the way by 1.
     *
     * @param share in [0, 1]
     */
    public void approach(double share) {
        Kernels kernels = Kernels.active();
        copies.forEach((name, copy) -> {
            kernels.scale((float) (1 - share), copy.segment(), 0, copy.count());
            kernels.axpy((float) share, live.get(name).segment(), 0, copy.segment(), 0, copy.count());
        });
    }

    /** {@return by name the sum of squared differences between the copy and the live values} */
    public Map<String, Double> squaredDistances() {
        Map<String, Double> sums = new LinkedHashMap<>();
        copies.forEach((name, copy) -> {
            FloatTensor value = live.get(name);
            double sum = 0;
            for (long i = 0; i < copy.count(); i++) {
                double off = (double) value.get(i) - copy.get(i);
                sum += off * off;
            }
            sums.put(name, sum);
        });
        return sums;
    }

    /**
     * Saves the copy, each tensor under its name behind {@code prefix}, or takes it back.
     *
     * @param state that is saved or read
     * @param prefix of the tensors' names in the state
     */
    public void visit(RunState state, String prefix) {
        copies.forEach((name, copy) -> state.tensor(prefix + name, copy));
    }
}
