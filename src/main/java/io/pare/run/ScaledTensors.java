package io.pare.run;

import io.pare.compress.Guarantee;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.ScaledLevels;
import io.pare.compress.constraint.ScaledSigns;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.GroupScales;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Writes as levels and scales what lies on them: the same values, in fewer bytes. */
final class ScaledTensors {
    private ScaledTensors() {}

    /**
     * Codes the tensors that guarantees put onto scaled levels. One that has left them stays as it is.
     *
     * @param weights of a network
     * @param guarantees of the pipeline that made them
     */
    static CompressedWeights code(CompressedWeights weights, List<Guarantee> guarantees) {
        Map<String, CompressedTensor> tensors = new HashMap<>(weights.tensors());
        for (Guarantee guarantee : guarantees) {
            if (guarantee.constraint() instanceof ScaledLevels set) {
                ProjectionState memory = new ProjectionState();
                memory.replace(guarantee.memory());
                for (int i = 0; i < guarantee.tensors().size(); i++) {
                    double[] scales = memory.get(ScaledLevels.SCALES, i);
                    tensors.computeIfPresent(guarantee.tensors().get(i),
                            (_, plain) -> scaled(plain, set.group(), scales));
                }
            } else if (guarantee.constraint() instanceof ScaledSigns) {
                guarantee.tensors().forEach(name -> tensors.computeIfPresent(name,
                        (_, plain) -> scaled(plain, 0, magnitudes(plain))));
            }
        }
        return new CompressedWeights(weights.model(), tensors, weights.scale());
    }

    /** A magnitude of each row; 1 where all of it is zero. */
    private static double[] magnitudes(CompressedTensor tensor) {
        double[] magnitudes = new double[Math.toIntExact(tensor.shape()[0])];
        Arrays.fill(magnitudes, 1);
        int columns = tensor.count() / magnitudes.length;
        for (int i = 0; i < tensor.nonzeros(); i++) {
            magnitudes[tensor.position(i) / columns] = Math.abs(tensor.value(i));
        }
        return magnitudes;
    }

    /**
     * {@return a tensor as levels and scales, or itself if it does not lie on them}
     *
     * @param plain tensor
     * @param group elements of a group; 0 for a row
     * @param wide scales
     */
    static CompressedTensor scaled(CompressedTensor plain, int group, double[] wide) {
        float[] scales = new float[wide.length];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = (float) wide[i];
        }
        int size = group > 0 ? group : Math.toIntExact(plain.count() / plain.shape()[0]);
        TreeSet<Integer> levels = new TreeSet<>();
        for (int i = 0; i < plain.nonzeros(); i++) {
            levels.add(ScaledLevels.level(plain.value(i), scales[plain.position(i) / size]));
        }
        levels.remove(0);
        float[] words = new float[levels.size()];
        int at = 0;
        for (int level : levels) {
            words[at++] = level;
        }
        CompressedTensor scaled = words.length == 0 ? null : plain.scaled(words, new GroupScales(size, scales));
        return scaled == null ? plain : scaled;
    }
}
