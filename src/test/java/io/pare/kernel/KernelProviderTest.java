package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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

    private static String run(String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Probe.class.getName()));
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        String out = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), out);
        return out.strip();
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
}
