package io.pare.run;

import io.pare.compress.constraint.Cost;
import io.pare.format.pare.PareFile;
import io.pare.mem.FloatTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.Parameter;
import java.util.Map;

/**
 * Bytes of the whole {@code .pare} file: of a network as it is by writing it, of a planned one by forecast.
 *
 * <p>The forecast takes positions as independent of each other, {@code log2 C(n, k)} bits, values as codes of equal length,
 * and a byte and a half for each codeword. A sorted and pruned network takes less: its positions about two thirds.
 *
 * @param model layers of the network
 * @param scale how pixels become inputs, which the file holds
 */
public record FileBytes(Net model, InputScale scale) implements Cost {
    private static final double BYTES_A_CODEWORD = 1.5;
    /** Of rounded biases: those that stay take four bits or so, and many are gone. */
    private static final double BYTES_A_BIAS = 0.25;
    private static final int MOST_CODE_BITS = 8;

    @Override
    public String unit() {
        return "bytes of the file";
    }

    @Override
    public double of(Map<String, FloatTensor> tensors) {
        return PareFile.encode(CompressedWeights.of(model, tensors, scale)).length;
    }

    @Override
    public double of(String tensor, long elements, long kept, int bits) {
        double codebook = bits > MOST_CODE_BITS ? 0 : Math.min(kept, 1 << bits) * BYTES_A_CODEWORD;
        return kept * (double) bits / 8 + PareFile.logBinomial(elements, kept) / 8 + codebook;
    }

    /** The network's description, and its biases as rounded ones. */
    @Override
    public double rest() {
        long biases = model.parameters().stream().filter(each -> !each.weight()).mapToLong(Parameter::count).sum();
        return PareFile.encode(model).length + biases * BYTES_A_BIAS;
    }
}
