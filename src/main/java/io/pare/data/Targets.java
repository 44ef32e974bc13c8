package io.pare.data;

import io.pare.net.Task;

/**
 * What a network is to give for each sample where that is no class.
 *
 * @param task {@link Task#MULTILABEL}, whose values go from 0 to 1, or {@link Task#REGRESS}
 * @param values one sample's after another's; not copied
 * @param width of a sample's values, at least 1
 */
public record Targets(Task task, float[] values, int width) {
    /** Checks that the values make whole rows. */
    public Targets {
        if (width < 1 || values.length % width != 0) {
            throw new DataException(values.length + " values are no targets of " + width + " each");
        }
        for (int i = 0; i < values.length; i++) {
            boolean fits = switch (task) {
                case CLASSIFY -> throw new IllegalArgumentException("classes are labels, not targets");
                case MULTILABEL -> values[i] >= 0 && values[i] <= 1;
                case REGRESS -> Float.isFinite(values[i]);
            };
            if (!fits) {
                throw new DataException("target " + i % width + " of sample " + i / width + " is " + values[i]
                        + (task == Task.REGRESS
                                ? ": it must be finite"
                                : ": labels are 0 or 1, or a probability; other values are for --task regress"));
            }
        }
    }

    /** Number of samples. */
    int samples() {
        return values.length / width;
    }
}
