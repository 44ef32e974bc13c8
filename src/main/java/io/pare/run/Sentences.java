package io.pare.run;

import io.pare.file.TextFile;
import io.pare.mem.FloatTensor;
import io.pare.mem.Parallel;
import io.pare.mem.Region;
import io.pare.text.SentenceEncoder;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;

/**
 * Texts whose vectors are wanted.
 *
 * @param texts at least one
 */
public record Sentences(List<String> texts) {
    /** Texts that a thread takes at once: enough for the encoder's blocks. */
    private static final int PART = 64;

    /** Copies the list. */
    public Sentences {
        texts = List.copyOf(texts);
        if (texts.isEmpty()) {
            throw new RunException("there is no text to encode");
        }
    }

    /**
     * Reads a text from each line of a file in UTF-8.
     *
     * @param file of at least one line
     * @return the texts, in order
     * @throws RunException if there is none, or a line is empty
     * @throws IOException if the file cannot be read
     */
    public static Sentences read(Path file) throws IOException {
        List<String> lines = TextFile.read(file).lines().toList();
        if (lines.isEmpty()) {
            throw new RunException(file + " is empty: give it a line for each text");
        }
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).isBlank()) {
                throw new RunException(file + ", line " + (i + 1)
                        + " is empty: vectors are numbered as lines are, so take it out or fill it");
            }
        }
        return new Sentences(lines);
    }

    /**
     * The vectors of the texts, which are the same for any number of threads.
     *
     * @param encoder of sentences
     * @param threads that compute, the calling one among them
     * @param region owns the result; shared between threads
     * @return a row for each text
     */
    public FloatTensor vectors(SentenceEncoder encoder, int threads, Region region) {
        FloatTensor vectors = region.tensor(texts.size(), encoder.dimension());
        Parallel.run(threads, Math.ceilDiv(texts.size(), PART), () -> part -> {
            int from = part * PART;
            List<float[]> rows = encoder.encode(texts.subList(from, Math.min(texts.size(), from + PART)));
            for (int i = 0; i < rows.size(); i++) {
                MemorySegment.copy(rows.get(i), 0, vectors.segment(), ValueLayout.JAVA_FLOAT,
                        (long) (from + i) * encoder.dimension() * Float.BYTES, encoder.dimension());
            }
        });
        return vectors;
    }
}
