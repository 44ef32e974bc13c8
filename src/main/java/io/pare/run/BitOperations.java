package io.pare.run;

import io.pare.compress.LayerRow;
import io.pare.compress.constraint.Cost;
import io.pare.mem.FloatTensor;
import io.pare.net.Net;
import java.util.Map;

/**
 * Bit operations of one sample, as DJPQ (2007.10463) and ABS (2101.11314) count them: bits of a weight times bits of an activation, for each
 * multiply-add whose weight is not zero.
 *
 * @param model layers of the network
 * @param activationBits of what weights multiply; Pare's activations are floats of {@value #FLOAT} bits
 */
public record BitOperations(Net model, int activationBits) implements Cost {
    /** Bits of an activation in Pare. */
    public static final int FLOAT = 32;

    /**
     * Refuses widths that no number has.
     *
     * @throws IllegalArgumentException if bits are not 1 to 32
     */
    public BitOperations {
        if (activationBits < 1 || activationBits > FLOAT) {
            throw new IllegalArgumentException("activations have 1 to 32 bits, not " + activationBits);
        }
    }

    @Override
    public String unit() {
        return "bit operations";
    }

    /** Values that hardly repeat count as floats of 32 bits, see {@link LayerRow#bits}. */
    @Override
    public double of(Map<String, FloatTensor> tensors) {
        return model.parameters().stream().filter(each -> each.weight() && tensors.containsKey(each.name()))
                .map(each -> LayerRow.of(each.name(), tensors.get(each.name())))
                .mapToDouble(row -> row.of(this)).sum();
    }

    @Override
    public double of(String tensor, long elements, long kept, int bits) {
        return new MultiplyAdds(model).of(tensor, elements, kept, bits) * bits * activationBits;
    }
}
