package io.pare.exec.backend;

import io.pare.exec.Backend;
import io.pare.exec.Value;
import io.pare.exec.java.JavaSteps;
import io.pare.exec.onednn.OneDnnSteps;
import io.pare.exec.sparse.SparseSteps;
import java.util.List;
import java.util.Optional;

/** The backends that there are. Each ends in plain Java, which computes what the factories before it do not. */
public final class Backends {
    /**
     * Samples of a pass in which {@link #sparse} is fastest, if a batch is a multiple of it: values of all layers of a small
     * network then stay in a core's second cache.
     */
    public static final int SPARSE_BATCH = SparseSteps.SAMPLES;

    private static final Backend JAVA = new Backend(true, List.of(JavaSteps::new));
    private static final Backend ONEDNN = new Backend(true, List.of(OneDnnSteps::fp32, JavaSteps::new));
    private static final Backend ONEDNN_BF16 = new Backend(true, List.of(OneDnnSteps::bf16, JavaSteps::new));
    private static final Backend SPARSE = new Backend(false, List.of(SparseSteps::new, JavaSteps::new));

    private Backends() {}

    /**
     * {@return plain Java, or oneDNN where it has a primitive, in 32-bit floats}
     *
     * @param useNative whether oneDNN may be used
     */
    public static Backend dense(boolean useNative) {
        return useNative ? ONEDNN : JAVA;
    }

    /**
     * {@return the backend of {@link #dense(boolean)} in the given numbers}
     *
     * @param useNative whether oneDNN may be used
     * @param precision of values between layers
     * @throws IllegalArgumentException if {@link Precision#obstacle} names one, or for bf16 without {@code useNative}
     */
    public static Backend dense(boolean useNative, Precision precision) {
        return switch (precision) {
            case FP32 -> dense(useNative);
            case BF16 -> {
                Optional<String> obstacle = useNative ? precision.obstacle() : Optional.of("has no form in Java");
                obstacle.ifPresent(reason -> {
                    throw new IllegalArgumentException("bf16 " + reason);
                });
                yield ONEDNN_BF16;
            }
        };
    }

    /**
     * {@return a backend that multiplies only the weights that {@link io.pare.exec.Binding#mask} leaves; the work is
     * that of these weights}
     *
     * <p>It computes chains of linear layers, ReLU, max-pooling whose windows do not overlap, and convolutions of
     * stride 1 with a bias and without padding. Batches are multiples of {@link SparseSteps#SAMPLES}. Compiling
     * others throws {@link IllegalArgumentException}.
     */
    public static Backend sparse() {
        return SPARSE;
    }

    /**
     * {@return whether {@link #sparse} computes a graph: all its operations, and its batch, have sparse steps}
     *
     * @param output last value of the graph
     */
    public static boolean sparseCovers(Value output) {
        return SparseSteps.cover(output);
    }
}
