package io.pare.descent;

import io.pare.kernel.Bits;
import io.pare.mem.FloatTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * The length of a gradient over all tensors, and its bound: a longer one keeps its direction (Pascanu, Mikolov, Bengio,
 * 1211.5063, algorithm 1). Elements that a mask holds do not count.
 */
public final class GradientNorm {
    private GradientNorm() {}

    /**
     * {@return the square root of the sum of all squares}
     *
     * @param operands whose gradients are read
     */
    public static double of(List<? extends Optimizer.Operand> operands) {
        double squares = 0;
        for (int i = 0; i < operands.size(); i++) {
            Optimizer.Operand operand = operands.get(i);
            MemorySegment gradient = operand.gradient().segment();
            Bits kept = operand.mask();
            for (long k = 0; k < operand.gradient().count(); k++) {
                double value = kept == null || kept.get(k) ? gradient.getAtIndex(ValueLayout.JAVA_FLOAT, k) : 0;
                squares += value * value;
            }
        }
        return Math.sqrt(squares);
    }

    /**
     * Scales gradients that are longer than {@code most} to that length; 0 leaves all as they are.
     *
     * @param operands whose gradients are scaled in place
     * @param most greatest length, at least 0
     */
    public static void clip(List<? extends Optimizer.Operand> operands, double most) {
        double norm = most > 0 ? of(operands) : 0;
        if (norm <= most) {
            return;
        }
        float factor = (float) (most / norm);
        for (int i = 0; i < operands.size(); i++) {
            FloatTensor gradient = operands.get(i).gradient();
            for (long k = 0; k < gradient.count(); k++) {
                gradient.set(k, gradient.get(k) * factor);
            }
        }
    }
}
