package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every vector width gives the bits of plain Java, in JVMs of their own because a JVM chooses its width once. */
@Tag("process")
class ProjectionWidthTest {
    /** Prints one checksum over the outputs of all projections. */
    static final class Digest {
        public static void main(String[] args) {
            System.out.println("digest " + of(KernelProvider.passes()));
        }

        static String of(Passes passes) {
            CRC32 crc = new CRC32();
            StringBuilder numbers = new StringBuilder();
            for (TopKTest.Data data : TopKTest.Data.values()) {
                for (int n : new int[]{5, 67, 1023, 20_011}) {
                    float[] x = data.make(n, n);
                    MemorySegment in = Memory.floatsAt(4, x);
                    MemorySegment out = Memory.floatsAt(8, new float[n]);
                    try (Projections p = new Projections(passes, 1)) {
                        for (int k : new int[]{1, n / 10, n / 2}) {
                            p.topK(in, 4, out, 8, n, k);
                            add(crc, out);
                            MemorySegment bits = Memory.bits(new boolean[n]);
                            p.topKBits(in, 4, n, k, bits, 0);
                            add(crc, bits);
                            MemorySegment u = Memory.floats(Memory.gaussian(n, k));
                            numbers.append(p.topKAdmm(in, 4, u, 0, out, 8, n, k));
                            add(crc, out);
                            add(crc, u);
                        }
                        p.keepOfGroups(in, 4, out, 8, n, 2, 4);
                        add(crc, out);
                        MemorySegment scores = Memory.zeros(n / 5 + 1);
                        p.groupScores(in, 4, Groups.filters(n / 5, 5), Norm.L2, scores, 0);
                        add(crc, scores);
                        if (data != TopKTest.Data.INFINITIES) {
                            clusters(p, in, n, out, crc, numbers);
                        }
                    }
                }
            }
            return crc.getValue() + " " + numbers.toString().hashCode();
        }

        private static void clusters(Projections p, MemorySegment in, int n, MemorySegment out, CRC32 crc,
                StringBuilder numbers) {
            for (int m : new int[]{2, 8, 16, 40}) {
                MemorySegment words = Memory.zeros(m);
                MemorySegment codes = Memory.zeros(n / 4 + 1);
                p.linearStart(in, 4, n, m, words, 0);
                // The second call starts where the first ended, which is what the pass over zones is for.
                for (int call = 0; call < 2; call++) {
                    numbers.append(p.kMeans(in, 4, n, null, 0, m, words, 0, 1000));
                    add(crc, words);
                }
                numbers.append(p.assign(in, 4, n, m, words, 0, out, 8, codes, 0));
                add(crc, out);
                add(crc, codes);
            }
        }

        private static void add(CRC32 crc, MemorySegment segment) {
            crc.update(segment.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void everyWidthGivesTheBitsOfPlainJava() throws Exception {
        String expected = "digest " + Digest.of(KernelProvider.scalarPasses());
        for (int bits : new int[]{128, 256, 512}) {
            List<String> command = List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--add-modules=jdk.incubator.vector", "-Dpare.kernels=simd", "-Dpare.simd.bits=" + bits, "-cp",
                    System.getProperty("java.class.path"), Digest.class.getName());
            Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
            String out = new String(process.getInputStream().readAllBytes()).strip();
            assertEquals(0, process.waitFor(), out);
            assertEquals(expected, out, bits + " bits");
        }
    }
}
