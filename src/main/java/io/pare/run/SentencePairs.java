package io.pare.run;

import io.pare.data.ListLine;
import io.pare.file.TextFile;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.text.SentenceEncoder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Pairs of sentences with a score from people for how near their meanings are, as in STS-B (Cer et al., 1708.00055).
 *
 * @param first sentence of each pair
 * @param second sentence of each pair
 * @param scores higher for nearer meanings; not to be changed
 */
public record SentencePairs(List<String> first, List<String> second, double[] scores) {
    private static final int FIELDS = 3;

    /** Copies the lists. */
    public SentencePairs {
        first = List.copyOf(first);
        second = List.copyOf(second);
        if (first.size() < 2 || first.size() != second.size() || first.size() != scores.length) {
            throw new RunException("a correlation needs at least two pairs, each with a score");
        }
    }

    /**
     * Reads a file of comma-separated values in UTF-8: two sentences and a score to a line. Fields may stand in quotes, which
     * are doubled within.
     *
     * @param file without a header
     * @return the pairs, in order
     * @throws RunException if a line has something else
     * @throws IOException if the file cannot be read
     */
    public static SentencePairs read(Path file) throws IOException {
        List<String> first = new ArrayList<>();
        List<String> second = new ArrayList<>();
        List<String> lines = TextFile.read(file).lines().toList();
        double[] scores = new double[lines.size()];
        for (int i = 0; i < lines.size(); i++) {
            String place = file + ", line " + (i + 1);
            List<String> fields = ListLine.fields(lines.get(i), ',');
            if (fields.isEmpty()) {
                throw new RunException(place + " has a quote that does not end");
            }
            if (fields.size() != FIELDS || fields.getFirst().isBlank() || fields.get(1).isBlank()) {
                throw new RunException(place + " has not two sentences and a score, with commas between them");
            }
            first.add(fields.getFirst());
            second.add(fields.get(1));
            scores[i] = score(place, fields.getLast());
        }
        if (lines.size() < 2) {
            throw new RunException(file + " has " + lines.size() + " pairs, a correlation needs at least two");
        }
        return new SentencePairs(first, second, scores);
    }

    private static double score(String place, String text) {
        double score;
        try {
            score = Double.parseDouble(text);
        } catch (NumberFormatException e) {
            score = Double.NaN;
        }
        if (!Double.isFinite(score)) {
            throw new RunException(place + ": the score '" + text + "' is no finite number");
        }
        return score;
    }

    /**
     * {@return Spearman's rank correlation of scores and cosines, from -1 to 1}
     *
     * @param encoder of sentences
     * @param threads that compute
     */
    public double spearman(SentenceEncoder encoder, int threads) {
        double[] cosines = new double[scores.length];
        try (Region region = Region.shared("sentence pairs")) {
            FloatTensor left = new Sentences(first).vectors(encoder, threads, region);
            FloatTensor right = new Sentences(second).vectors(encoder, threads, region);
            for (int i = 0; i < cosines.length; i++) {
                for (int j = 0; j < encoder.dimension(); j++) {
                    long at = (long) i * encoder.dimension() + j;
                    cosines[i] += (double) left.get(at) * right.get(at);
                }
            }
        }
        return spearman(scores, cosines);
    }

    /** The correlation of ranks; 0 where one of both is constant. */
    static double spearman(double[] left, double[] right) {
        double[] x = ranks(left);
        double[] y = ranks(right);
        double mean = (x.length + 1) / 2.0;
        double product = 0;
        double leftSquare = 0;
        double rightSquare = 0;
        for (int i = 0; i < x.length; i++) {
            product += (x[i] - mean) * (y[i] - mean);
            leftSquare += (x[i] - mean) * (x[i] - mean);
            rightSquare += (y[i] - mean) * (y[i] - mean);
        }
        return leftSquare == 0 || rightSquare == 0 ? 0 : product / Math.sqrt(leftSquare * rightSquare);
    }

    /** Ranks from 1; equal values share the mean of theirs. */
    private static double[] ranks(double[] values) {
        List<Integer> order = IntStream.range(0, values.length).boxed()
                .sorted((a, b) -> Double.compare(values[a], values[b])).toList();
        double[] ranks = new double[values.length];
        for (int from = 0; from < order.size();) {
            int end = from + 1;
            while (end < order.size() && values[order.get(end)] == values[order.get(from)]) {
                end++;
            }
            for (int i = from; i < end; i++) {
                ranks[order.get(i)] = (from + 1 + end) / 2.0;
            }
            from = end;
        }
        return ranks;
    }
}
