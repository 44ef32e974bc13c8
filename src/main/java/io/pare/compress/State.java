package io.pare.compress;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pare.format.ElementType;
import io.pare.format.Safetensors;
import io.pare.mem.FloatTensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * A visit to all that a run needs in order to go on with the same bits. The same method of an object hands its parts to
 * a state that is being saved and takes them from one that is being read, so the two cannot drift apart.
 *
 * <p>One file holds it: tensors as safetensors, everything else as JSON in the file's metadata. It is written under
 * another name and renamed, so that a run that is killed at any instant leaves the last complete state.
 */
abstract class State {
    /** Saves or fills a live tensor. */
    abstract void tensor(String name, FloatTensor live);

    /** Saves or fills live bytes. */
    abstract void bytes(String name, MemorySegment live);

    /** Saves {@code present} and gives it back, or gives what was saved. */
    abstract double[] numbers(String name, double... present);

    /** Whether a state is being read. */
    abstract boolean reading();

    abstract String text(String name, String present);

    double number(String name, double present) {
        return numbers(name, present)[0];
    }

    long whole(String name, long present) {
        return Long.parseLong(text(name, Long.toString(present)));
    }

    /** A map of vectors: what a {@link Memory} holds. */
    void memory(String name, Memory live) {
        try {
            String saved = text(name, Writer.JSON.writeValueAsString(live.all()));
            live.replace(Writer.JSON.readValue(saved, new TypeReference<TreeMap<String, double[]>>() {}));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot read '" + name + "' of a saved run", e);
        }
    }

    static final class Writer extends State {
        private static final ObjectMapper JSON = new ObjectMapper();
        private final Safetensors.Writer file = new Safetensors.Writer();
        private final Map<String, String> texts = new LinkedHashMap<>();

        @Override
        void tensor(String name, FloatTensor live) {
            file.add(name, live);
        }

        @Override
        void bytes(String name, MemorySegment live) {
            file.add(name, ElementType.U8, new long[]{live.byteSize()}, live);
        }

        @Override
        double[] numbers(String name, double... present) {
            StringBuilder line = new StringBuilder();
            for (double number : present) {
                line.append(line.isEmpty() ? "" : " ").append(number);
            }
            texts.put(name, line.toString());
            return present;
        }

        @Override
        boolean reading() {
            return false;
        }

        @Override
        String text(String name, String present) {
            texts.put(name, present);
            return present;
        }

        void write(Path path) throws IOException {
            file.metadata("pare.run", JSON.writeValueAsString(texts));
            file.write(path);
        }
    }

    static final class Reader extends State implements AutoCloseable {
        private final Safetensors file;
        private final Path path;
        private final Map<String, String> texts;

        Reader(Path path) throws IOException {
            this.path = path;
            this.file = Safetensors.open(path);
            String json = file.metadata().get("pare.run");
            if (json == null) {
                file.close();
                throw new IOException(path + " is no saved compression run");
            }
            this.texts = Writer.JSON.readValue(json, new TypeReference<LinkedHashMap<String, String>>() {});
        }

        /** As {@link #text}, where states of old may lack it: then what is present. */
        String textOr(String name, String present) {
            return texts.getOrDefault(name, present);
        }

        @Override
        void tensor(String name, FloatTensor live) {
            try {
                file.floats(name, live);
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }

        @Override
        void bytes(String name, MemorySegment live) {
            try {
                byte[] saved = file.bytes(name);
                if (saved.length != live.byteSize()) {
                    throw new IllegalStateException(path + ": '" + name + "' has " + saved.length + " bytes, "
                            + live.byteSize() + " are needed: it belongs to another model or recipe");
                }
                live.copyFrom(MemorySegment.ofArray(saved));
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }

        @Override
        double[] numbers(String name, double... present) {
            String line = text(name, "");
            if (line.isEmpty()) {
                return new double[0];
            }
            String[] parts = line.split(" ");
            double[] numbers = new double[parts.length];
            for (int i = 0; i < parts.length; i++) {
                numbers[i] = Double.parseDouble(parts[i]);
            }
            return numbers;
        }

        @Override
        boolean reading() {
            return true;
        }

        @Override
        String text(String name, String present) {
            String saved = texts.get(name);
            if (saved == null) {
                throw new IllegalStateException(path + " has no '" + name + "': it belongs to another recipe");
            }
            return saved;
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
