package io.pare.report;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Reads event files as TensorBoard does, from what TensorFlow documents of records, events and summaries. */
public final class EventReader {
    private EventReader() {}

    /**
     * An event.
     *
     * @param version of a file's first event, else empty
     * @param starts whether a session begins with this step
     * @param numbers by tag
     * @param histograms by tag
     */
    public record Event(double time, long step, String version, boolean starts, Map<String, Float> numbers,
            Map<String, double[][]> histograms) {}

    /** All whole events of a file; what is cut off at its end is left out, what is damaged fails. */
    public static List<Event> read(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        List<Event> events = new ArrayList<>();
        while (bytes.remaining() >= 12) {
            int start = bytes.position();
            long length = bytes.getLong();
            check(bytes.array(), start, 8, bytes.getInt());
            if (bytes.remaining() < length + 4) {
                break;
            }
            int data = bytes.position();
            bytes.position(data + (int) length);
            check(bytes.array(), data, (int) length, bytes.getInt());
            events.add(event(bytes.slice(data, (int) length).order(ByteOrder.LITTLE_ENDIAN)));
        }
        return events;
    }

    /** What TensorBoard shows of a folder: the numbers of each tag by step, later sessions in place of earlier ones. */
    public static Map<String, TreeMap<Long, Float>> numbers(Path folder) throws IOException {
        Map<String, TreeMap<Long, Float>> shown = new TreeMap<>();
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files = all.filter(file -> file.getFileName().toString().contains("tfevents")).sorted().toList();
        }
        for (Path file : files) {
            for (Event event : read(file)) {
                if (event.starts()) {
                    shown.values().forEach(points -> points.tailMap(event.step(), true).clear());
                }
                event.numbers().forEach(
                        (tag, number) -> shown.computeIfAbsent(tag, _ -> new TreeMap<>()).put(event.step(), number));
            }
        }
        return shown;
    }

    private static void check(byte[] bytes, int from, int count, int stored) {
        int sum = crc32c(bytes, from, count);
        int masked = (sum >>> 15 | sum << 17) + 0xa282ead8;
        if (masked != stored) {
            throw new AssertionError("the checksum of " + count + " bytes at " + from + " is wrong");
        }
    }

    /** Bit by bit, by the polynomial of Castagnoli. */
    static int crc32c(byte[] bytes, int from, int count) {
        int sum = -1;
        for (int i = from; i < from + count; i++) {
            sum ^= bytes[i] & 0xff;
            for (int bit = 0; bit < 8; bit++) {
                sum = sum >>> 1 ^ (sum & 1) * 0x82f63b78;
            }
        }
        return ~sum;
    }

    private static long varint(ByteBuffer bytes) {
        long value = 0;
        for (int shift = 0;; shift += 7) {
            byte next = bytes.get();
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }

    private static ByteBuffer inner(ByteBuffer bytes) {
        int length = (int) varint(bytes);
        ByteBuffer inner = bytes.slice(bytes.position(), length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.position(bytes.position() + length);
        return inner;
    }

    private static String text(ByteBuffer bytes) {
        return StandardCharsets.UTF_8.decode(inner(bytes)).toString();
    }

    private static Event event(ByteBuffer bytes) {
        double time = 0;
        long step = 0;
        String version = "";
        boolean starts = false;
        Map<String, Float> numbers = new LinkedHashMap<>();
        Map<String, double[][]> histograms = new LinkedHashMap<>();
        while (bytes.hasRemaining()) {
            int key = (int) varint(bytes);
            switch (key) {
                case 1 << 3 | 1 -> time = bytes.getDouble();
                case 2 << 3 -> step = varint(bytes);
                case 3 << 3 | 2 -> version = text(bytes);
                case 5 << 3 | 2 -> {
                    for (ByteBuffer summary = inner(bytes); summary.hasRemaining();) {
                        expect(1 << 3 | 2, varint(summary));
                        value(inner(summary), numbers, histograms);
                    }
                }
                case 7 << 3 | 2 -> {
                    ByteBuffer session = inner(bytes);
                    expect(1 << 3, varint(session));
                    starts = varint(session) == 1;
                }
                default -> throw new AssertionError("an event has no field of key " + key);
            }
        }
        return new Event(time, step, version, starts, numbers, histograms);
    }

    private static void value(ByteBuffer bytes, Map<String, Float> numbers, Map<String, double[][]> histograms) {
        expect(1 << 3 | 2, varint(bytes));
        String tag = text(bytes);
        int key = (int) varint(bytes);
        if (key == (2 << 3 | 5)) {
            numbers.put(tag, bytes.getFloat());
        } else {
            expect(5 << 3 | 2, key);
            histograms.put(tag, histogram(inner(bytes)));
        }
        if (bytes.hasRemaining()) {
            throw new AssertionError("more than one value of " + tag);
        }
    }

    /** Least, largest, count, sum and squares; limits; counts. */
    private static double[][] histogram(ByteBuffer bytes) {
        double[] numbers = new double[5];
        double[][] histogram = {numbers, {}, {}};
        while (bytes.hasRemaining()) {
            int key = (int) varint(bytes);
            int field = key >>> 3;
            if (field <= 5) {
                expect(field << 3 | 1, key);
                numbers[field - 1] = bytes.getDouble();
            } else {
                expect(field << 3 | 2, key);
                ByteBuffer packed = inner(bytes);
                histogram[field - 5] = new double[packed.remaining() / 8];
                packed.asDoubleBuffer().get(histogram[field - 5]);
            }
        }
        return histogram;
    }

    private static void expect(int wanted, long found) {
        if (found != wanted) {
            throw new AssertionError("key " + found + ", not " + wanted);
        }
    }
}
