package io.pare.report;

import io.pare.file.RecordFile;
import io.pare.format.protobuf.Protobuf.Writer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * What TensorBoard draws: numbers and histograms by name and step, in a file that it reads while the run goes on.
 *
 * <p>A file is a sequence of
 * <a href="https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details">TFRecords</a>, each with a
 * message {@code Event} of TensorFlow's {@code event.proto} and {@code summary.proto}. Each event is there for readers when
 * the call returns. Not thread-safe.
 */
public final class EventFile implements AutoCloseable {
    /** Since this version, readers drop what an earlier file says of steps that a session begins with. */
    private static final String VERSION = "brain.Event:2";
    private static final int MASK_ROTATION = 15;
    private static final int MASK_DELTA = 0xa282ead8;

    private static final int EVENT_TIME = 1;
    private static final int EVENT_STEP = 2;
    private static final int EVENT_VERSION = 3;
    private static final int EVENT_SUMMARY = 5;
    private static final int EVENT_SESSION = 7;
    private static final int SESSION_STATUS = 1;
    private static final int SESSION_START = 1;
    private static final int SUMMARY_VALUE = 1;
    private static final int VALUE_TAG = 1;
    private static final int VALUE_NUMBER = 2;
    private static final int VALUE_HISTOGRAM = 5;

    private final RecordFile file;

    private EventFile(RecordFile file) {
        this.file = file;
    }

    /**
     * Begins a file beside those that lie in a folder, as TensorBoard wants it for a run that is resumed.
     *
     * @param folder of the run, created if need be
     * @param step that comes first: what other files say of it and of later ones no longer counts
     * @return to be closed by whoever opened it
     */
    public static EventFile open(Path folder, long step) {
        Instant now = Instant.now();
        // Readers go through files by name.
        EventFile events = new EventFile(RecordFile.create(folder.resolve(String.format(Locale.ROOT,
                "events.out.tfevents.%010d.%09d.%d", now.getEpochSecond(), now.getNano(),
                ProcessHandle.current().pid()))));
        events.append(event(0).text(EVENT_VERSION, VERSION));
        events.append(event(step).message(EVENT_SESSION, new Writer().number(SESSION_STATUS, SESSION_START)));
        return events;
    }

    /**
     * Writes what was measured at a step, by names.
     *
     * @param numbers one each
     * @param values of which histograms are made: of those that are finite and not zero
     */
    public void write(long step, Map<String, Double> numbers, Map<String, float[]> values) {
        Writer summary = new Writer();
        numbers.forEach((name, number) -> summary.message(SUMMARY_VALUE,
                new Writer().text(VALUE_TAG, name).decimal(VALUE_NUMBER, number.floatValue())));
        values.forEach((name, all) -> {
            Histogram histogram = Histogram.of(all);
            if (histogram.count() > 0) {
                summary.message(SUMMARY_VALUE,
                        new Writer().text(VALUE_TAG, name).message(VALUE_HISTOGRAM, histogram.message()));
            }
        });
        append(event(step).message(EVENT_SUMMARY, summary));
    }

    private static Writer event(long step) {
        return new Writer().real(EVENT_TIME, System.currentTimeMillis() / 1e3).number(EVENT_STEP, step);
    }

    private void append(Writer event) {
        byte[] data = event.toByteArray();
        ByteBuffer record = ByteBuffer.allocate(Long.BYTES + Integer.BYTES + data.length + Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        record.putLong(data.length);
        record.putInt(masked(record.array(), Long.BYTES));
        record.put(data);
        record.putInt(masked(data, data.length));
        file.append(record.array());
    }

    /** The checksum of the first bytes, which may themselves hold checksums. */
    private static int masked(byte[] bytes, int count) {
        CRC32C sum = new CRC32C();
        sum.update(bytes, 0, count);
        return Integer.rotateRight((int) sum.getValue(), MASK_ROTATION) + MASK_DELTA;
    }

    @Override
    public void close() {
        file.close();
    }
}
