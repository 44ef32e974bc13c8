package io.pare.compress;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pare.compress.constraint.ProjectionState;
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

/**
 * Visits all that a run needs in order to resume with the same bits. An object has one method that both saves its
 * parts to a state and restores them from one, so the two cannot drift apart.
 *
 * <p>One file holds it: tensors as safetensors, everything else as JSON in the file's metadata. It is written under
 * another name and renamed, so that a run that is killed at any instant leaves the last complete state.
 */
public abstract class RunState {
    /** Largest count that is read: no run reaches it, and counting on from it does not overflow. */
    private static final long MOST = 1L << 53;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ObjectMapper values;

    /** @param values what gives the objects of the run their JSON form */
    private RunState(ObjectMapper values) {
        this.values = values;
    }

    /** Saves or fills a live tensor. */
    public abstract void tensor(String name, FloatTensor live);

    /** Saves or fills live bytes. */
    public abstract void bytes(String name, MemorySegment live);

    /** Saves {@code present} and gives it back, or gives what was saved, which must be as many. */
    public abstract double[] numbers(String name, double... present);

    /** Whether a state is being read. */
    public abstract boolean reading();

    /** Saves {@code present} and gives it back, or gives what was saved. */
    public abstract String text(String name, String present);

    /** As {@link #numbers}, of one. */
    public double number(String name, double present) {
        return numbers(name, present)[0];
    }

    /** As {@link #numbers}, of sizes: finite and not negative. */
    public double[] sizes(String name, double... present) {
        double[] saved = numbers(name, present);
        for (double size : saved) {
            if (!(size >= 0 && size < Double.POSITIVE_INFINITY)) {
                throw damaged(name, null);
            }
        }
        return saved;
    }

    /** As {@link #text}, of a count. */
    public long count(String name, long present) {
        return whole(name, present, 0, MOST);
    }

    /** As {@link #text}, of a number from {@code least} to {@code most}. */
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
        throw damaged(name, null);
    }

    /** As {@link #text}, of whatever has a JSON form. */
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

    /** A map of vectors: what a {@link ProjectionState} holds. */
    public void memory(String name, ProjectionState live) {
        Map<String, double[]> saved = json(name, live.all(), new TypeReference<Map<String, double[]>>() {});
        if (saved.containsValue(null)) {
            throw damaged(name, null);
        }
        live.replace(saved);
    }

    /** The exception for a saved value that is impossible. */
    public abstract RuntimeException damaged(String name, Exception cause);

    /** A state that is being saved. */
    public static final class Writer extends RunState {
        private final Safetensors.Writer file = new Safetensors.Writer();
        private final Map<String, String> texts = new LinkedHashMap<>();

        /** @param values what gives the objects of the run their JSON form */
        public Writer(ObjectMapper values) {
            super(values);
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
            texts.put(name, line.toString());
            return present;
        }

        @Override
        public boolean reading() {
            return false;
        }

        @Override
        public String text(String name, String present) {
            texts.put(name, present);
            return present;
        }

        @Override
        public RuntimeException damaged(String name, Exception cause) {
            return new IllegalStateException("'" + name + "' of a run has no form that can be saved", cause);
        }

        /** Writes all that was saved to a file. */
        public void write(Path path) throws IOException {
            file.metadata("pare.run", JSON.writeValueAsString(texts));
            file.write(path);
        }
    }

    /** A state that is being read. */
    public static final class Reader extends RunState implements AutoCloseable {
        private final Safetensors file;
        private final Path path;
        private final Map<String, String> texts;

        /**
         * @param values what reads the objects of the run from their JSON form
         * @throws FormatException if the file holds no run
         */
        public Reader(Path path, ObjectMapper values) throws IOException {
            super(values);
            this.path = path;
            this.file = Safetensors.open(path);
            try {
                String json = file.metadata().get("pare.run");
                if (json == null) {
                    throw new FormatException(path + " is no saved compression run: give another --out");
                }
                this.texts = JSON.readValue(json, new TypeReference<LinkedHashMap<String, String>>() {});
                if (texts == null) {
                    throw new FormatException(path + " is damaged: it says nothing of its run");
                }
            } catch (JsonProcessingException e) {
                file.close();
                throw new FormatException(path + " is damaged: " + e.getOriginalMessage(), e);
            } catch (RuntimeException e) {
                file.close();
                throw e;
            }
        }

        /** As {@link #text}, or {@code present} where an older state lacks it. */
        public String textOr(String name, String present) {
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
                            + live.byteSize() + " are needed: it belongs to another model or recipe");
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
        public boolean reading() {
            return true;
        }

        @Override
        public String text(String name, String present) {
            String saved = texts.get(name);
            if (saved == null) {
                throw new FormatException(
                        path + " has no '" + name + "': it is damaged, or belongs to another model or recipe");
            }
            return saved;
        }

        @Override
        public RuntimeException damaged(String name, Exception cause) {
            return new FormatException(path + " is damaged: its '" + name + "' cannot be"
                    + (cause == null ? "" : " (" + cause.getMessage() + ")"), cause);
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
