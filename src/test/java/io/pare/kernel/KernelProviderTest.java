package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The provider's choice, in JVMs of their own: a JVM chooses once. */
class KernelProviderTest {
    /** Prints the decision, or the refusal. */
    static final class Probe {
        public static void main(String[] args) {
            try {
                System.out.println(Kernels.active().name() + " | " + KernelProvider.reason());
            } catch (IllegalStateException | IllegalArgumentException e) {
                System.out.println("refused: " + e.getMessage());
            }
        }
    }

    private static final String MODULE = "--add-modules=jdk.incubator.vector";

    /** Computes by kernels and projections on memory of a confined arena, as a program that embeds the engine does. */
    static final class Embedded {
        public static void main(String[] args) {
            try (Arena arena = Arena.ofConfined(); Projections projections = Projections.open(1)) {
                MemorySegment x = arena.allocate(400, 64);
                Kernels.active().fill(2, x, 0, 100);
                projections.topK(x, 0, x, 0, 100, 10);
                System.out.println(Kernels.active().sumOfSquares(x, 0, 100));
            }
        }
    }

    /** Counts sums whose bits change between their first call, by the interpreter, and later ones, compiled. */
    static final class Sums {
        public static void main(String[] args) {
            int count = 40;
            int elements = 400;
            Kernels kernels = Kernels.active();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment[] arrays = new MemorySegment[count];
                double[] first = new double[count];
                for (int i = 0; i < count; i++) {
                    arrays[i] = arena.allocate(elements * Float.BYTES, 64);
                    SplittableRandom random = new SplittableRandom(i);
                    for (int at = 0; at < elements; at++) {
                        arrays[i].setAtIndex(ValueLayout.JAVA_FLOAT, at, (float) random.nextGaussian());
                    }
                    first[i] = kernels.sumOfSquares(arrays[i], 0, elements);
                }
                int changed = 0;
                for (int call = 0; call < 60_000; call++) {
                    double sum = kernels.sumOfSquares(arrays[call % count], 0, elements);
                    changed += sum == first[call % count] ? 0 : 1;
                }
                System.out.println(changed + " changed");
            }
        }
    }

    private static String run(String... options) throws IOException, InterruptedException {
        Process process = start(Probe.class, options).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        String out = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), out);
        return out.strip();
    }

    /** What it prints on both streams. */
    private static String embedded(String... options) throws IOException {
        return new String(start(Embedded.class, options).redirectErrorStream(true).start().getInputStream()
                .readAllBytes());
    }

    private static ProcessBuilder start(Class<?> main, String... options) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        return new ProcessBuilder(command);
    }

    private static int count(String text, String part) {
        return text.split(Pattern.quote(part), -1).length - 1;
    }

    @Test
    void theLoopsOfSparseLayersAreOfTheSameProvider() {
        assertEquals(Kernels.active().name(), SparseKernels.active().name());
    }

    @Test
    void withoutTheModuleItFallsBackAndNamesTheRemedy() throws Exception {
        String out = run();
        assertTrue(out.startsWith("scalar | kernels=scalar reason="), out);
        assertTrue(out.contains("--add-modules jdk.incubator.vector"), out);
    }

    @Test
    void aForcedChoiceThatCannotBeMetThrows() throws Exception {
        assertTrue(run("-Dpare.kernels=simd").startsWith("refused: -Dpare.kernels=simd cannot be met"), "no module");
        assertTrue(run("-Dpare.kernels=simd", MODULE, "-XX:TieredStopAtLevel=1").startsWith("refused:"), "no C2");
        assertTrue(run("-Dpare.kernels=fast").contains("none of auto, simd, scalar"), "unknown");
        assertTrue(run("-Dpare.kernels=simd", "-Dpare.simd.bits=100", MODULE).contains("none of 128, 256, 512"),
                "unknown width");
    }

    @Test
    void withTheModuleItTakesVectorsOfTheWidthAskedFor() throws Exception {
        for (int bits : new int[]{128, 256, 512}) {
            String out = run(MODULE, "-Dpare.simd.bits=" + bits);
            assertEquals("simd(" + bits + ") | kernels=simd(" + bits + ") reason=auto", out);
        }
        assertTrue(run(MODULE, "-Dpare.kernels=scalar").startsWith("scalar |"));
        assertTrue(run(MODULE, "-Xint").contains("-Xint"));
    }

    @Test
    void compilationChangesNoBitOfASum() throws Exception {
        String out = new String(start(Sums.class, MODULE).redirectErrorStream(true).start().getInputStream()
                .readAllBytes());
        assertTrue(out.contains("\n0 changed") || out.startsWith("0 changed"), out);
    }

    @Test
    void scalarKernelsThatNobodyAskedForAreWarnedOfOnce() throws Exception {
        String out = embedded();
        assertTrue(out.contains("40.0"), out);
        assertEquals(1, count(out, "WARNING: kernels=scalar reason="), out);
        assertEquals(1, count(out, "--add-modules jdk.incubator.vector"), out);
        assertEquals(0, count(embedded(MODULE), "kernels="));
        assertEquals(0, count(embedded("-Dpare.kernels=scalar"), "kernels="));
    }

    @Test
    void whereNativeAccessIsDeniedTheFlagThatGivesItIsNamed() throws Exception {
        for (String kernels : new String[]{"auto", "scalar"}) {
            String out = embedded("--illegal-native-access=deny", "-Dpare.kernels=" + kernels, MODULE);
            assertEquals(1, count(out, "IllegalStateException"), out);
            assertEquals(1, count(out, "start it with --enable-native-access=ALL-UNNAMED"), out);
        }
    }
}
