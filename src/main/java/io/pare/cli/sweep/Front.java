package io.pare.cli.sweep;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;

/**
 * The runs of which no other has both a smaller and a better network: the Pareto front of a sweep.
 *
 * @param axis by what networks are small
 * @param score field of the reports that says how good a network is
 * @param points runs whose reports have both figures, by cost
 * @param best those on the front, by cost
 */
record Front(Axis axis, String score, List<Point> points, List<Point> best) {
    /** What networks may be small in. */
    enum Axis {
        /** Of the file, else of the weights. */
        BYTES("bytes", "bytes of the network"),
        /** Of one prediction, where a run was given a table of latency. */
        MICROSECONDS("microseconds", "microseconds of one prediction"),
        /** Bits of weights times those of activations, over all multiply-adds. */
        BIT_OPERATIONS("bit operations", "bit operations of one prediction");

        private final String word;
        private final String label;

        Axis(String word, String label) {
            this.word = word;
            this.label = label;
        }

        String word() {
            return word;
        }

        String label() {
            return label;
        }

        OptionalDouble of(SweepRow row) {
            return switch (this) {
                case BYTES -> row.bytes();
                case MICROSECONDS -> row.number("microseconds");
                case BIT_OPERATIONS -> row.number("bitOperations");
            };
        }
    }

    /** A run with both figures. */
    record Point(SweepRow row, double cost, double score) {}

    static Front of(List<SweepRow> rows) {
        return of(rows, Axis.BYTES);
    }

    static Front of(List<SweepRow> rows, Axis axis) {
        String score =
                SweepRow.SCORES.stream().filter(field -> rows.stream().anyMatch(row -> row.number(field).isPresent()))
                        .findFirst().orElse(SweepRow.SCORES.getFirst());
        // Errors are the better the smaller they are.
        int sign = score.endsWith("MAE") ? -1 : 1;
        List<Point> points = rows.stream().filter(row -> row.number(score).isPresent() && axis.of(row).isPresent())
                .map(row -> new Point(row, axis.of(row).getAsDouble(), row.number(score).getAsDouble()))
                .sorted(Comparator.comparingDouble(Point::cost).thenComparingDouble(point -> -sign * point.score())
                        .thenComparingInt(point -> point.row().run().number()))
                .toList();
        List<Point> best = new ArrayList<>();
        for (Point point : points) {
            if (best.isEmpty() || sign * point.score() > sign * best.getLast().score()) {
                best.add(point);
            }
        }
        return new Front(axis, score, points, best);
    }

    boolean has(SweepRow row) {
        return best.stream().anyMatch(point -> point.row() == row);
    }
}
