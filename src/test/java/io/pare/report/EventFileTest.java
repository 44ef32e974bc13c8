package io.pare.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Event files through a reader that knows only what is documented of them. */
class EventFileTest {
    @TempDir
    Path folder;

    private Path file() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList().getLast();
        }
    }

    @Test
    void theReadersChecksumIsThePublishedOne() {
        assertEquals(0xe3069283, EventReader.crc32c("123456789".getBytes(StandardCharsets.US_ASCII), 0, 9));
    }

    @Test
    void eventsAreThereAsSoonAsTheyAreWritten() throws IOException {
        long before = System.currentTimeMillis();
        try (EventFile events = EventFile.open(folder, 3)) {
            assertTrue(file().getFileName().toString().startsWith("events.out.tfevents."));
            events.write(3, Map.of("loss/größe", 0.5, "bad", Double.NaN), Map.of());
            events.write(1L << 40, Map.of("loss", 0.25),
                    Map.of("weights", new float[]{-1, 0, 2}, "none", new float[2]));
            List<EventReader.Event> read = EventReader.read(file());
            assertEquals(4, read.size());
            assertEquals("brain.Event:2", read.getFirst().version());
            assertTrue(read.get(1).starts() && read.get(1).step() == 3);
            assertEquals(Map.of("loss/größe", 0.5f, "bad", Float.NaN), read.get(2).numbers());
            assertEquals(1L << 40, read.get(3).step());
            assertEquals(Map.of("loss", 0.25f).keySet(), read.get(3).numbers().keySet());
            assertEquals(List.of("weights"), List.copyOf(read.get(3).histograms().keySet()));
            for (EventReader.Event event : read) {
                assertTrue(event.time() >= before / 1e3 && event.time() <= System.currentTimeMillis() / 1e3);
            }
        }
        // Whatever is cut off at the end, what came before is read.
        byte[] whole = Files.readAllBytes(file());
        Path part = folder.resolve("part");
        for (int length = 0; length < whole.length; length += 11) {
            Files.write(part, Arrays.copyOf(whole, length));
            assertTrue(EventReader.read(part).size() < 4);
        }
    }

    @Test
    void laterSessionsTakeThePlaceOfEarlierOnes() throws IOException {
        try (EventFile events = EventFile.open(folder, 1)) {
            for (int step = 1; step < 6; step++) {
                events.write(step, Map.of("loss", (double) step), Map.of());
            }
        }
        try (EventFile events = EventFile.open(folder, 4)) {
            events.write(4, Map.of("loss", -4.0), Map.of());
        }
        assertEquals(Map.of("loss", Map.of(1L, 1f, 2L, 2f, 3L, 3f, 4L, -4f)), EventReader.numbers(folder));
    }

    @Test
    void histogramsCountWhatIsFiniteAndNotZero() {
        SplittableRandom random = new SplittableRandom(3);
        for (int size = 0; size < 68; size++) {
            float[] values = new float[size];
            for (int i = 0; i < size; i++) {
                values[i] = switch (random.nextInt(5)) {
                    case 0 -> random.nextBoolean() ? 0f : -0f;
                    case 1 -> random.nextBoolean() ? Float.NaN : Float.NEGATIVE_INFINITY;
                    case 2 -> random.nextBoolean() ? Float.MIN_VALUE : 1f;
                    default -> (float) random.nextGaussian();
                };
            }
            Histogram histogram = Histogram.of(values);
            double[] counted = new double[histogram.limits().length];
            int count = 0;
            for (float value : values) {
                if (value != 0 && Float.isFinite(value)) {
                    count++;
                    int bin = 0;
                    while (value > histogram.limits()[bin]) {
                        bin++;
                    }
                    counted[bin]++;
                }
            }
            assertEquals(count, histogram.count());
            assertArrayEquals(counted, histogram.counts());
            double[] rising = histogram.limits().clone();
            Arrays.sort(rising);
            assertArrayEquals(rising, histogram.limits());
        }
        Histogram same = Histogram.of(new float[]{2, 2, 0});
        assertArrayEquals(new double[]{2}, same.limits());
        assertArrayEquals(new double[]{2}, same.counts());
        assertEquals(8, same.squares());
        assertEquals(4, same.sum());
        // The widest range that there is.
        Histogram wide = Histogram.of(new float[]{-Float.MAX_VALUE, Float.MAX_VALUE});
        assertEquals(1, wide.counts()[0]);
        assertEquals(1, wide.counts()[wide.counts().length - 1]);
    }

    @Test
    void aFolderThatCannotBeIsRefusedInALine() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        String said = assertThrows(FileException.class, () -> EventFile.open(file.resolve("events"), 1)).getMessage();
        assertTrue(said.startsWith("cannot write ") && said.contains("a folder is needed"), said);
    }
}
