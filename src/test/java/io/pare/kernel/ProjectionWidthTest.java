package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pare.kernel.passes.Passes;
import io.pare.kernel.passes.SelectPasses;
import io.pare.kernel.passes.TopKPasses;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every vector width gives the bits of plain Java, in JVMs of their own because a JVM chooses its width once. */
@Tag("process")
class ProjectionWidthTest {
    /** Prints one checksum over the outputs of all projections. */
    static final class Digest {
        public static void main(String[] args) {
            System.out.println("digest " + of(KernelProvider.loops()));
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
            passes(passes, crc, numbers);
            return crc.getValue() + " " + numbers.toString().hashCode();
        }

        /** Each pass of the selection by itself: every tail, brackets of any width, and elements that are not numbers. */
        private static void passes(Passes passes, CRC32 crc, StringBuilder numbers) {
            int[] lengths = IntStream.concat(IntStream.rangeClosed(0, 67),
                    IntStream.of(127, 128, 129, 511, 512, 513, 1023, 1024, 1025, 2049)).toArray();
            for (TopKTest.Data data : TopKTest.Data.values()) {
                for (int n : lengths) {
                    float[] x = data.make(n, n + 1);
                    for (int i = 5; i < n; i += 97) {
                        x[i] = i % 2 == 0 ? Float.NaN : -0f;
                    }
                    int[] keys = IntStream.range(0, n).map(i -> Float.floatToRawIntBits(x[i]) & Passes.MAGNITUDE)
                            .sorted().toArray();
                    selection(passes, x, 0, 0, Spans.END, crc, numbers);
                    if (n > 0) {
                        int middle = Math.min(Passes.INFINITY, keys[n / 2]);
                        selection(passes, x, keys[n / 3], middle, Math.min(Spans.END, keys[2 * n / 3] + 1), crc,
                                numbers);
                        selection(passes, x, middle, middle, middle + 1, crc, numbers);
                        selection(passes, x, middle, middle, middle, crc, numbers);
                    }
                }
            }
        }

        private static void selection(Passes passes, float[] x, int lo, int guess, int hi, CRC32 crc,
                StringBuilder numbers) {
            int n = x.length;
            int at = 3;
            long[] tally = new long[4];
            long[] counts = new long[5];
            double[] primal = new double[Passes.STRIDE];
            double[] dual = new double[Passes.STRIDE];
            MemorySegment in = Memory.floatsAt(4, x);
            MemorySegment z = Memory.floatsAt(8, Memory.gaussian(n, 1));
            MemorySegment u = Memory.floats(Memory.gaussian(n, 2));
            MemorySegment keys = Memory.zeros(n + at + Passes.SLACK);
            MemorySegment places = Memory.zeros(n + at + Passes.SLACK);
            MemorySegment olds = Memory.zeros(n + at + Passes.SLACK);
            MemorySegment bits = Memory.bits(new boolean[n]);
            SelectPasses select = passes.select();
            TopKPasses topK = passes.topK();
            for (MemorySegment added : new MemorySegment[]{null, u}) {
                numbers.append(select.count(in, 4, added, 0, n, lo, guess, guess, hi, counts, 1));
                int found = select.collect(in, 4, added, 0, n, lo, hi, keys, at, tally, 2);
                add(crc, keys, at, found);
                found = select.between(keys, at, found, lo, guess, places);
                add(crc, places, at, found);
                topK.maskBits(in, 4, added, 0, bits, 0, n, guess, n / 5);
                add(crc, bits);
            }
            int found = topK.speculate(in, 4, z, 8, n, lo, guess, hi, keys, places, at, tally, 0);
            add(crc, z);
            add(crc, keys, at, found);
            add(crc, places, at, found);
            found = topK.speculateBits(in, 4, bits, 0, n, lo, guess, hi, keys, places, at, tally, 2);
            add(crc, bits);
            add(crc, keys, at, found);
            add(crc, places, at, found);
            topK.mask(in, 4, z, 8, n, guess, n / 5);
            add(crc, z);
            MemorySegment old = Memory.floatsAt(8, Memory.gaussian(n, 3));
            found = topK.speculateAdmm(in, 4, u, 0, old, 8, n, lo, guess, hi, keys, places, olds, at, tally, 0, primal,
                    dual);
            add(crc, keys, at, found);
            add(crc, places, at, found);
            add(crc, olds, at, found);
            topK.maskAdmm(in, 4, u, 0, old, 8, n, guess, n / 5, primal, dual);
            numbers.append(Arrays.toString(tally)).append(Arrays.toString(counts)).append(Arrays.toString(primal))
                    .append(Arrays.toString(dual));
        }

        /** Elements of an array of candidates; a NaN's payload is the processor's choice. */
        private static void add(CRC32 crc, MemorySegment segment, long at, int n) {
            for (long i = at; i < at + n; i++) {
                int bits = Float.floatToIntBits(segment.getAtIndex(ValueLayout.JAVA_FLOAT, i));
                for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
                    crc.update(bits >>> shift);
                }
            }
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
