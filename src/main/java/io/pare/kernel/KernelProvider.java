package io.pare.kernel;

import io.pare.kernel.passes.CodebookPasses;
import io.pare.kernel.passes.GroupPasses;
import io.pare.kernel.passes.Passes;
import io.pare.kernel.passes.SelectPasses;
import io.pare.kernel.passes.TopKPasses;
import io.pare.kernel.scalar.ScalarCodebookPasses;
import io.pare.kernel.scalar.ScalarGroupPasses;
import io.pare.kernel.scalar.ScalarKernels;
import io.pare.kernel.scalar.ScalarMatrixKernels;
import io.pare.kernel.scalar.ScalarSelectPasses;
import io.pare.kernel.scalar.ScalarSparseKernels;
import io.pare.kernel.scalar.ScalarTopKPasses;
import java.lang.reflect.InvocationTargetException;
import java.util.Locale;

/**
 * Chooses once between the SIMD and the scalar kernels, for everything in this package.
 *
 * <p>The reason is in {@link #reason} and goes to the logger {@code io.pare.kernel}. It is a warning where scalar
 * kernels run without having been asked for.
 *
 * <p>{@code -Dpare.kernels=auto|simd|scalar}: {@code simd} throws where the Vector API cannot be used, {@code auto}
 * falls back to {@code scalar}. {@code -Dpare.simd.bits=128|256|512} fixes the vector width; the default is the
 * machine's preferred width. This class names no type of the incubator module, so it links without that module.
 */
public final class KernelProvider {
    /** System property that chooses the provider. */
    public static final String CHOICE = "pare.kernels";
    /** System property that fixes the vector width in bits. */
    public static final String WIDTH = "pare.simd.bits";

    private static final System.Logger LOG = System.getLogger("io.pare.kernel");
    private static final String MODULE = "jdk.incubator.vector";
    /** The names of the SIMD kernels are this and the name of what they implement. */
    private static final String SIMD = "io.pare.kernel.simd.Simd";

    private final Kernels kernels;
    private final SparseKernels sparse;
    private final MatrixKernels matrices;
    /** The passes without a warm-up. */
    private final Passes loops;
    private final Passes passes;
    private final String reason;
    private final System.Logger.Level level;

    private KernelProvider(Kernels kernels, SparseKernels sparse, MatrixKernels matrices, Passes loops, Passes passes,
            String reason, System.Logger.Level level) {
        this.kernels = new CheckedKernels(kernels);
        this.sparse = sparse;
        this.matrices = matrices;
        this.loops = loops;
        this.passes = passes;
        this.reason = "kernels=" + kernels.name() + " reason=" + reason;
        this.level = level;
    }

    /** Initialised on first use: a forced choice that cannot be met must not break the loading of this class. */
    private static final class Chosen {
        static final KernelProvider PROVIDER = choose(System.getProperty(CHOICE, "auto"));

        static {
            LOG.log(PROVIDER.level, PROVIDER.reason);
        }
    }

    /** {@return the elementwise kernels in use} */
    public static Kernels active() {
        return chosen().kernels;
    }

    /** {@return the loops of sparse layers in use} */
    public static SparseKernels sparse() {
        return chosen().sparse;
    }

    /** {@return the products of packed matrices in use} */
    static MatrixKernels matrices() {
        return chosen().matrices;
    }

    /** The passes over memory that the projections use. */
    static Passes passes() {
        return chosen().passes;
    }

    /** The passes of this provider alone, whose results tests compare with those of its twin. */
    static Passes loops() {
        return chosen().loops;
    }

    /** {@return one line for logs and reports: what is in use, why, and what would give the faster one} */
    public static String reason() {
        return chosen().reason;
    }

    private static KernelProvider chosen() {
        try {
            return Chosen.PROVIDER;
        } catch (ExceptionInInitializerError e) {
            if (e.getCause() instanceof IllegalStateException refused) {
                throw new IllegalStateException(refused.getMessage(), refused);
            }
            if (e.getCause() instanceof IllegalArgumentException unknown) {
                throw new IllegalArgumentException(unknown.getMessage(), unknown);
            }
            throw e;
        } catch (NoClassDefFoundError e) {
            // The second and later uses after a refused choice: the JVM keeps only the text of the first failure.
            throw new IllegalStateException("-D" + CHOICE + "=" + System.getProperty(CHOICE) + " could not be met", e);
        }
    }

    static KernelProvider choose(String choice) {
        switch (choice.toLowerCase(Locale.ROOT)) {
            case "scalar" -> {
                return scalar("asked for with -D" + CHOICE + "=scalar", System.Logger.Level.DEBUG);
            }
            case "simd" -> {
                String obstacle = obstacle();
                if (obstacle != null) {
                    throw new IllegalStateException("-D" + CHOICE + "=simd cannot be met: " + obstacle);
                }
                return simd("asked for");
            }
            case "auto" -> {
                String obstacle = obstacle();
                return obstacle == null ? simd("auto") : scalar(obstacle, System.Logger.Level.WARNING);
            }
            default -> throw new IllegalArgumentException(
                    "-D" + CHOICE + "=" + choice + " is none of auto, simd, scalar");
        }
    }

    private static KernelProvider scalar(String reason, System.Logger.Level level) {
        Passes passes = scalarPasses();
        return new KernelProvider(new ScalarKernels(), new ScalarSparseKernels(), new ScalarMatrixKernels(), passes,
                passes, reason, level);
    }

    /** The passes in plain Java. */
    static Passes scalarPasses() {
        return new Passes(new ScalarSelectPasses(), new ScalarTopKPasses(), new ScalarGroupPasses(),
                new ScalarCodebookPasses());
    }

    /** The vectors' passes, with a twin that helps until they are compiled. */
    static Passes warmingUp(Passes vectors, Passes plain) {
        return new Passes(new WarmupSelectPasses(vectors.select(), plain.select()),
                new WarmupTopKPasses(vectors.topK(), plain.topK(), plain.select()),
                new WarmupGroupPasses(vectors.groups(), plain.groups()),
                new WarmupCodebookPasses(vectors.codebooks(), plain.codebooks()));
    }

    private static KernelProvider simd(String reason) {
        Passes vectors = new Passes(simd(SelectPasses.class), simd(TopKPasses.class), simd(GroupPasses.class),
                simd(CodebookPasses.class));
        return new KernelProvider(new WarmupKernels(simd(Kernels.class), new ScalarKernels()),
                simd(SparseKernels.class),
                new WarmupMatrixKernels(simd(MatrixKernels.class), new ScalarMatrixKernels()), vectors,
                warmingUp(vectors, scalarPasses()), reason, System.Logger.Level.DEBUG);
    }

    /** Loads by name what implements {@code type} on the Vector API. */
    private static <T> T simd(Class<T> type) {
        String name = SIMD + type.getSimpleName();
        try {
            return type.cast(Class.forName(name).getConstructor().newInstance());
        } catch (InvocationTargetException | ExceptionInInitializerError e) {
            throw new IllegalStateException(name + " could not start: " + root(e).getMessage(), e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(name + " is not on the class path", e);
        }
    }

    private static Throwable root(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }

    /** Why the Vector API cannot be used well in this JVM, with the remedy; {@code null} if it can. */
    static String obstacle() {
        if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
            return "module " + MODULE + " is not present; start the JVM with --add-modules " + MODULE;
        }
        // Without C2 every vector is an object: 4 to 80 times slower than plain loops.
        String mode = System.getProperty("java.vm.info", "");
        if (mode.contains("interpreted")) {
            return "the JVM interprets only (-Xint); remove that option";
        }
        if (mode.contains("emulated-client")) {
            return "the JVM compiles with C1 only (-XX:TieredStopAtLevel); remove that option";
        }
        return null;
    }
}
