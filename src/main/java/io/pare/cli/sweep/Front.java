package io.pare.cli.sweep;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The runs of which no other has both fewer bytes and a better network: the Pareto front of a sweep.
 *
 * @param score field of the reports that says how good a network is
 * @param points runs whose reports have both figures, by bytes
 * @param best those on the front, by bytes
 */
record Front(String score, List<Point> points, List<Point> best) {
    /** A run with both figures. */
    record Point(SweepRow row, double bytes, double score) {}

    static Front of(List<SweepRow> rows) {
        String score =
                SweepRow.SCORES.stream().filter(field -> rows.stream().anyMatch(row -> row.number(field).isPresent()))
                        .findFirst().orElse(SweepRow.SCORES.getFirst());
        // Errors are the better the smaller they are.
        int sign = score.endsWith("MAE") ? -1 : 1;
        List<Point> points = rows.stream().filter(row -> row.number(score).isPresent() && row.bytes().isPresent())
                .map(row -> new Point(row, row.bytes().getAsDouble(), row.number(score).getAsDouble()))
                .sorted(Comparator.comparingDouble(Point::bytes).thenComparingDouble(point -> -sign * point.score())
                        .thenComparingInt(point -> point.row().run().number()))
                .toList();
        List<Point> best = new ArrayList<>();
        for (Point point : points) {
            if (best.isEmpty() || sign * point.score() > sign * best.getLast().score()) {
                best.add(point);
            }
        }
        return new Front(score, points, best);
    }

    boolean has(SweepRow row) {
        return best.stream().anyMatch(point -> point.row() == row);
    }
}
