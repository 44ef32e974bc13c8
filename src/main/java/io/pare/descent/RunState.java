package io.pare.descent;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pare.file.FormatException;
import io.pare.format.safetensors.Safetensors;
import io.pare.format.tensors.ElementType;
import io.pare.mem.FloatTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Visits all that a run needs in order to resume with the same bits. An object has one method that both saves its
 * parts to a state and restores them from one, so the two cannot drift apart.
 *
 * <p>One safetensors file holds it: tensors, and everything else as text in the metadata. It is written under another name
 * and renamed, so that a run that is killed at any instant leaves the last complete state. What is restored may be
 * half done where a file is refused. One thread at a time.
 *
 * <p>Needs Jackson. Whoever hands over objects of Jackson, an optional dependency, requires its module as well.
 */
public abstract class RunState {
    /** Largest count that is read: no run reaches it, and counting on from it does not overflow. */
    private static final long MOST = 1L << 53;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ObjectMapper values;

    /**
     * What tells files of one kind from others.
     *
     * @param key that their metadata has
     * @param version its value
     * @param refusal what to say of a file without it, after the file's name
     */
    public record Kind(String key, String version, String refusal) {}

    /** @param values what gives the objects of the run their JSON form */
    private RunState(ObjectMapper values) {
        this.values = values;
    }

    /**
     * Saves or fills a live tensor.
     *
     * @param name unique in the state
     * @param live read or overwritten in place
     */
    public abstract void tensor(String name, FloatTensor live);

    /**
     * Saves or fills live bytes.
     *
     * @param name unique in the state
     * @param live read or overwritten in place
     */
    public abstract void bytes(String name, MemorySegment live);

    /**
     * Saves {@code present} and gives it back, or gives what was saved, which must be as many.
     *
     * @param name unique in the state
     * @param present the numbers of the moment
     * @return {@code present}, or as many that were saved
     */
    public abstract double[] numbers(String name, double... present);

    /**
     * Saves what must be the same where the state is read.
     *
     * @param name unique in the state
     * @param what it is, in the message
     * @param present text of the moment
     * @throws FormatException if it is not
     */
    public abstract void same(String name, String what, String present);

    /**
     * {@return whether a state has text of that name: one that an older version saved may lack it}
     *
     * @param name of a text
     */
    public abstract boolean has(String name);

    /** {@return whether a state is being read} */
    public abstract boolean reading();

    /**
     * Saves {@code present} and gives it back, or gives what was saved.
     *
     * @param name unique in the state
     * @param present text of the moment
     * @return {@code present}, or the text that was saved
     */
    public abstract String text(String name, String present);

    /**
     * As {@link #numbers}, of one.
     *
     * @param name unique in the state
     * @param present number of the moment
     * @return {@code present}, or what was saved
     */
    public double number(String name, double present) {
        return numbers(name, present)[0];
    }

    /**
     * As {@link #numbers}, of sizes: not negative, and no larger than the square of a float can be.
     *
     * @param name unique in the state
     * @param present sizes of the moment
     * @return {@code present}, or what was saved
     */
    public double[] sizes(String name, double... present) {
        double[] saved = numbers(name, present);
        for (double size : saved) {
            if (!(size >= 0 && size <= (double) Float.MAX_VALUE * Float.MAX_VALUE)) {
                throw damaged(name, null);
            }
        }
        return saved;
    }

    /**
     * As {@link #text}, of a count.
     *
     * @param name unique in the state
     * @param present count of the moment
     * @return {@code present}, or what was saved, at least 0
     */
    public long count(String name, long present) {
        return whole(name, present, 0, MOST);
    }

    /**
     * As {@link #text}, of a number from {@code least} to {@code most}.
     *
     * @param name unique in the state
     * @param present number of the moment
     * @param least smallest that is accepted
     * @param most largest that is accepted
     * @return {@code present}, or what was saved
     */
    public long whole(String name, long present, long least, long most) {
        String saved = text(name, Long.toString(present));
        try {
            long value = Long.parseLong(saved);
            if (value >= least && value <= most) {
                return value;
            }
        } catch (NumberFormatException e) {
            throw damaged(name, e);
        }
        throw damaged(name, new IllegalArgumentException(saved + " is not from " + least + " to " + most));
    }

    /**
     * As {@link #text}, of whatever has a JSON form.
     *
     * @param <T> type of the value
     * @param name unique in the state
     * @param present value of the moment
     * @param type what JSON is read as
     * @return {@code present}, or what was saved
     */
    public <T> T json(String name, T present, TypeReference<T> type) {
        try {
            String text = text(name, values.writerFor(type).writeValueAsString(present));
            T saved = reading() ? values.readValue(text, type) : present;
            if (saved != null) {
                return saved;
            }
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw damaged(name, e);
        }
        throw damaged(name, null);
    }

    /**
     * {@return the exception for a saved value that is impossible}
     *
     * @param name of the value
     * @param cause what its reading threw, or {@code null}
     */
    public abstract RuntimeException damaged(String name, @Nullable Exception cause);

    /** A state that is being saved. */
    public static final class Writer extends RunState {
        private final Safetensors.Writer file = new Safetensors.Writer();

        /**
         * Begins a state of numbers, text and tensors.
         *
         * @param kind that the file says it is of
         */
        public Writer(Kind kind) {
            this(kind, JSON);
        }

        /**
         * Begins a state that holds objects too.
         *
         * @param kind that the file says it is of
         * @param values what gives the objects of the run their JSON form
         */
        public Writer(Kind kind, ObjectMapper values) {
            super(values);
            file.metadata(kind.key(), kind.version());
        }

        @Override
        public void tensor(String name, FloatTensor live) {
            file.add(name, live);
        }

        @Override
        public void bytes(String name, MemorySegment live) {
            file.add(name, ElementType.U8, new long[]{live.byteSize()}, live);
        }

        @Override
        public double[] numbers(String name, double... present) {
            StringBuilder line = new StringBuilder();
            for (double number : present) {
                line.append(line.isEmpty() ? "" : " ").append(number);
            }
            file.metadata(name, line.toString());
            return present;
        }

        @Override
        public void same(String name, String what, String present) {
            file.metadata(name, present);
        }

        @Override
        public boolean has(String name) {
            return true;
        }

        @Override
        public boolean reading() {
            return false;
        }

        @Override
        public String text(String name, String present) {
            file.metadata(name, present);
            return present;
        }

        @Override
        public RuntimeException damaged(String name, @Nullable Exception cause) {
            return new IllegalStateException("'" + name + "' of a run has no form that can be saved", cause);
        }

        /**
         * Writes all that was saved to a file.
         *
         * @param path replaced in one step
         * @throws IOException if it cannot be written; what was there stays
         */
        public void write(Path path) throws IOException {
            file.write(path);
        }
    }

    /** A state that is being read. */
    public static final class Reader extends RunState implements AutoCloseable {
        private final Safetensors file;
        private final Path path;
        private final Map<String, String> texts;

        /**
         * Opens a state of numbers, text and tensors.
         *
         * @param path of the file, open until {@link #close}
         * @param kind that the file must be of
         * @throws FormatException if the file is of another kind, or of a version that is not known
         * @throws IOException if it cannot be read
         */
        public Reader(Path path, Kind kind) throws IOException {
            this(path, kind, JSON);
        }

        /**
         * Opens a state that holds objects too.
         *
         * @param path of the file, open until {@link #close}
         * @param kind that the file must be of
         * @param values what reads the objects of the run from their JSON form
         * @throws FormatException if the file is of another kind, or of a version that is not known
         * @throws IOException if it cannot be read
         */
        public Reader(Path path, Kind kind, ObjectMapper values) throws IOException {
            super(values);
            this.path = path;
            this.file = Safetensors.open(path);
            try {
                this.texts = texts(kind);
            } catch (RuntimeException e) {
                file.close();
                throw e;
            }
        }

        private Map<String, String> texts(Kind kind) {
            String version = file.metadata().get(kind.key());
            if (version == null) {
                throw new FormatException(path + " " + kind.refusal());
            }
            if (version.equals(kind.version())) {
                return file.metadata();
            }
            // Compressions of old had all their text there, as one map.
            if (!version.startsWith("{")) {
                throw new FormatException(path + " is a state of version " + version + ", this Pare reads "
                        + kind.version() + ": go on with the Pare that wrote it, or begin anew");
            }
            try {
                return JSON.readValue(version, new TypeReference<LinkedHashMap<String, String>>() {});
            } catch (JsonProcessingException e) {
                throw new FormatException(path + " is damaged: " + e.getOriginalMessage(), e);
            }
        }

        /**
         * As {@link #text}, or {@code present} where an older state lacks it.
         *
         * @param name of the text
         * @param present what stands in for it; may be {@code null}
         * @return the text that was saved, or {@code present}
         */
        public @Nullable String textOr(String name, @Nullable String present) {
            return texts.getOrDefault(name, present);
        }

        @Override
        public void tensor(String name, FloatTensor live) {
            try {
                file.floats(name, live);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void bytes(String name, MemorySegment live) {
            try {
                byte[] saved = file.bytes(name);
                if (saved.length != live.byteSize()) {
                    throw new FormatException(path + ": '" + name + "' has " + saved.length + " bytes, "
                            + live.byteSize() + " are needed: it belongs to another run");
                }
                live.copyFrom(MemorySegment.ofArray(saved));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public double[] numbers(String name, double... present) {
            String line = text(name, "");
            if (line.isEmpty() && present.length == 0) {
                return new double[0];
            }
            String[] parts = line.split(" ");
            if (parts.length != present.length) {
                throw damaged(name, null);
            }
            double[] numbers = new double[parts.length];
            try {
                for (int i = 0; i < parts.length; i++) {
                    numbers[i] = Double.parseDouble(parts[i]);
                }
                return numbers;
            } catch (NumberFormatException e) {
                throw damaged(name, e);
            }
        }

        @Override
        public void same(String name, String what, String present) {
            String saved = text(name, present);
            if (!saved.equals(present)) {
                throw new FormatException(
                        path + " was made with " + what + " " + saved + ", this run has " + present
                                + ": give it the same, or begin anew in another folder");
            }
        }

        @Override
        public boolean has(String name) {
            return texts.containsKey(name);
        }

        @Override
        public boolean reading() {
            return true;
        }

        @Override
        public String text(String name, String present) {
            String saved = texts.get(name);
            if (saved == null) {
                throw new FormatException(
                        path + " has no '" + name + "': it is damaged, or belongs to another run");
            }
            return saved;
        }

        @Override
        public RuntimeException damaged(String name, @Nullable Exception cause) {
            return new FormatException(path + " is damaged: its '" + name + "' cannot be"
                    + (cause == null ? "" : " (" + cause.getMessage() + ")"), cause);
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
