package io.pare.compress.stage;

import io.pare.compress.UnitLink;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Cost;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How large a network's file will be once it is packed: the real coder on a copy whose values are as short as packing makes
 * them. Codewords have four bits of mantissa, biases of living units are multiples of an eighth of the largest, others are
 * gone.
 */
final class FileDraft {
    /** Of the 23 bits of a float's mantissa, those that are cleared: four stay. */
    private static final int CLEARED = 19;
    private static final float LEVELS = 8;

    private final RunContext context;
    private final Cost cost;

    FileDraft(RunContext context, Cost cost) {
        this.context = context;
        this.cost = cost;
    }

    /** Bytes of the file if {@code weights} stood in place of those variables' values. */
    double bytes(Map<Variable, FloatTensor> weights) {
        try (Region region = Region.confined("draft")) {
            Map<String, FloatTensor> tensors = new LinkedHashMap<>();
            for (Variable variable : context.variables()) {
                FloatTensor copy = region.tensor(variable.value().shape());
                if (variable.compressible()) {
                    shorten(weights.getOrDefault(variable, variable.value()), copy);
                } else {
                    round(variable.value(), copy);
                }
                tensors.put(variable.name(), copy);
            }
            for (UnitLink link : context.training().links()) {
                if (link.producerBias() == null) {
                    continue;
                }
                FloatTensor producer = tensors.get(link.producer());
                FloatTensor bias = tensors.get(link.producerBias());
                long row = producer.count() / bias.count();
                for (long unit = 0; unit < bias.count(); unit++) {
                    boolean lives = false;
                    for (long e = unit * row; e < (unit + 1) * row && !lives; e++) {
                        lives = producer.get(e) != 0;
                    }
                    if (!lives) {
                        bias.set(unit, 0f);
                    }
                }
            }
            return cost.of(tensors);
        }
    }

    private static void shorten(FloatTensor from, FloatTensor to) {
        for (long e = 0; e < from.count(); e++) {
            int bits = Float.floatToRawIntBits(from.get(e));
            int half = 1 << CLEARED - 1;
            to.set(e, bits == 0 ? 0f : Float.intBitsToFloat(bits + half >>> CLEARED << CLEARED));
        }
    }

    private static void round(FloatTensor from, FloatTensor to) {
        float most = 0;
        for (long e = 0; e < from.count(); e++) {
            most = Math.max(most, Math.abs(from.get(e)));
        }
        float step = most / LEVELS;
        for (long e = 0; e < from.count(); e++) {
            to.set(e, step == 0 ? 0f : Math.round(from.get(e) / step) * step);
        }
    }
}
