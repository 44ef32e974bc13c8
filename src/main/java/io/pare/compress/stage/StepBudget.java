package io.pare.compress.stage;

import io.pare.compress.Variable;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.ScaledLevels;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongToDoubleFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Divides bytes among tensors that go to levels: how fine the step of each is.
 *
 * <p>Each tensor is rounded to several steps. Measured are the squared error of its outputs, and the bytes of its levels by
 * their entropy. What such an error is worth is measured too: one tensor after another is rounded alone, and the outputs of the
 * whole network are looked at. A price of a change of these then says for each tensor which step is cheapest in bytes and
 * change together, which is a point of the lower hull of its curve; the highest price that the bytes allow is found by
 * bisection (Shoham and Gersho 1988).
 */
final class StepBudget {
    /** Multiples of a set's own step. */
    private static final double[] MULTIPLES = {0.125, 0.18, 0.25, 0.35, 0.5, 0.71, 1, 1.41, 2};
    /** Steps between two that are measured: bytes fall by the logarithm of a step, and errors rise by a power of it. */
    private static final int BETWEEN = 8;
    private static final int ROUNDS = 60;
    /** The multiple at which the network's outputs are looked at: errors far above those of rounding, and not yet all there is. */
    private static final double LOOKED_AT = 0.35;
    /** Bytes of a tensor until a coder knows how often levels are, about. */
    private static final double LEARNT = 24;

    /**
     * What a tensor costs at a step.
     *
     * @param change of the network's outputs, squared, over their square
     */
    private record Choice(ScaledLevels set, double bytes, double change) {}

    private final Map<String, List<Choice>> choices = new LinkedHashMap<>();
    private final OutputChange outputs;

    /**
     * Begins with a network as it is to be.
     *
     * @param outputs for some inputs, as its tensors are when asked; {@code null} if not known: then a step costs the
     *            same in all tensors
     */
    StepBudget(Supplier<float @Nullable []> outputs) {
        this.outputs = new OutputChange(outputs);
    }

    /**
     * Measures a layer, whose outputs are products with inputs.
     *
     * @param each what an error of 1 of the weights of each input adds to the squared outputs
     */
    void layer(Variable weights, ScaledLevels set, double[] each) {
        measure(weights, set, null, at -> each[(int) (at % each.length)]);
    }

    /** Measures a table, whose rows are given as they are. Their errors count by the importance by which steps are scaled too. */
    void table(Variable weights, ScaledLevels set, @Nullable FloatTensor importance) {
        measure(weights, set, importance, at -> importance == null ? 1 : importance.get(at));
    }

    private void measure(Variable weights, ScaledLevels set, @Nullable FloatTensor importance,
            LongToDoubleFunction each) {
        List<Choice> curve = new ArrayList<>();
        FloatTensor value = weights.value();
        try (Region region = Region.shared("steps"); Projections projections = Projections.open(1)) {
            FloatTensor plain = region.tensor(value.shape()).copyFrom(value);
            FloatTensor rounded = region.tensor(value.shape());
            ScaledLevels looked = new ScaledLevels(set.step() * LOOKED_AT, set.group());
            looked.project(List.of(plain), List.of(rounded), new ProjectionState(), projections);
            value.copyFrom(rounded);
            double change = outputs.orElse(1);
            value.copyFrom(plain);
            double error = error(rounded, plain, each);
            for (double multiple : MULTIPLES) {
                ScaledLevels tried = new ScaledLevels(set.step() * multiple, set.group());
                ProjectionState memory = new ProjectionState();
                if (importance == null) {
                    tried.project(List.of(plain), List.of(rounded), memory, projections);
                } else {
                    tried.projectWeighted(List.of(plain), List.of(importance), List.of(rounded), memory, projections);
                }
                double bytes = bytes(rounded, tried.size(rounded), memory.get(ScaledLevels.SCALES, 0));
                curve.add(new Choice(tried, bytes,
                        error > 0 ? change * error(rounded, plain, each) / error : 0));
            }
        }
        choices.put(weights.name(), filled(curve));
    }

    private static double error(FloatTensor rounded, FloatTensor plain, LongToDoubleFunction each) {
        double sum = 0;
        for (long at = 0; at < plain.count(); at++) {
            double change = rounded.get(at) - plain.get(at);
            sum += each.applyAsDouble(at) * change * change;
        }
        return sum;
    }

    private static List<Choice> filled(List<Choice> curve) {
        List<Choice> filled = new ArrayList<>();
        for (int i = 0; i + 1 < curve.size(); i++) {
            Choice a = curve.get(i);
            Choice b = curve.get(i + 1);
            for (int k = 0; k < BETWEEN; k++) {
                double part = (double) k / BETWEEN;
                filled.add(new Choice(
                        new ScaledLevels(a.set.step() * Math.pow(b.set.step() / a.set.step(), part), a.set.group()),
                        a.bytes + part * (b.bytes - a.bytes),
                        a.change > 0 ? a.change * Math.pow(b.change / a.change, part) : part * b.change));
            }
        }
        filled.add(curve.getLast());
        return filled;
    }

    /** Bytes of levels by the entropy among groups of about the same scale, and of the scales. */
    private static double bytes(FloatTensor rounded, int size, double[] scales) {
        Map<Integer, long[]> counts = new LinkedHashMap<>();
        for (int group = 0; group < scales.length; group++) {
            long[] of = counts.computeIfAbsent((int) Math.rint(2 * Math.log(scales[group]) / Math.log(2)),
                    _ -> new long[2 * ScaledLevels.MAX_LEVEL + 1]);
            for (long at = (long) group * size; at < Math.min(rounded.count(), (group + 1L) * size); at++) {
                of[ScaledLevels.level(rounded.get(at), (float) scales[group]) + ScaledLevels.MAX_LEVEL]++;
            }
        }
        double bits = 0;
        for (long[] of : counts.values()) {
            double all = 0;
            for (long count : of) {
                all += count;
            }
            for (long count : of) {
                bits -= count == 0 ? 0 : count * Math.log(count / all) / Math.log(2);
            }
        }
        return bits / 8 + (counts.size() == 1 ? 0 : scales.length * 6 / 8.0) + LEARNT;
    }

    /**
     * {@return a step for each tensor}
     *
     * @param most bytes
     * @throws RecipeException if even the coarsest steps take more
     */
    Map<String, ScaledLevels> spend(double most) {
        double low = 0;
        double high = 1e12;
        double least = bytes(at(low));
        if (least > most) {
            throw new RecipeException(
                    String.format("the coarsest levels take %,.0f bytes, and %,.0f are given: allow more",
                            least, most));
        }
        for (int round = 0; round < ROUNDS && bytes(at(high)) > most; round++) {
            double middle = low == 0 ? high / 1e6 : Math.sqrt(low * high);
            if (bytes(at(middle)) <= most) {
                low = middle;
            } else {
                high = middle;
            }
        }
        Map<String, ScaledLevels> steps = new LinkedHashMap<>();
        at(bytes(at(high)) <= most ? high : low).forEach((name, choice) -> steps.put(name, choice.set));
        return steps;
    }

    private static double bytes(Map<String, Choice> chosen) {
        return chosen.values().stream().mapToDouble(Choice::bytes).sum();
    }

    /** The choice of each tensor at a price, in bytes, of a change as large as the outputs. */
    private Map<String, Choice> at(double price) {
        Map<String, Choice> chosen = new LinkedHashMap<>();
        choices.forEach((name, curve) -> {
            Choice best = curve.getFirst();
            for (Choice each : curve) {
                if (each.bytes + price * each.change <= best.bytes + price * best.change) {
                    best = each;
                }
            }
            chosen.put(name, best);
        });
        return chosen;
    }
}
