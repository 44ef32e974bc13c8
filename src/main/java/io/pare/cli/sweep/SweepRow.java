package io.pare.cli.sweep;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * What has become of a run.
 *
 * @param run which
 * @param ended how; {@code null} if it has not ended
 * @param report the fields of its report, if it is done; numbers, texts and truths
 */
public record SweepRow(SweptRun run, Ended ended, Map<String, Object> report) {
    /** Where reports say how good a network is on test data, in the order in which they are looked for. */
    static final List<String> SCORES = List.of("testAccuracy", "testMacroF1", "testMAE");

    /** What has become of it. */
    public enum State {
        /** It ended well. */
        DONE,
        /** It ended with another code than 0. */
        FAILED,
        /** It has not begun, or was stopped. */
        UNFINISHED;

        /** As tables have it. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public State state() {
        return ended == null ? State.UNFINISHED : ended.exit() == 0 ? State.DONE : State.FAILED;
    }

    /** The settings that any run has, in the order in which they come up. */
    static List<String> settings(List<SweepRow> rows) {
        return rows.stream().flatMap(row -> row.run().settings().keySet().stream()).distinct().toList();
    }

    /** A number of the report. */
    OptionalDouble number(String field) {
        return report.get(field) instanceof Number number
                ? OptionalDouble.of(number.doubleValue())
                : OptionalDouble.empty();
    }

    /** Bytes of the network: of its file, or of its weights as they are where there is none that is coded. */
    OptionalDouble bytes() {
        OptionalDouble file = number("bytesWithIndex");
        OptionalDouble weights = number("weights");
        return file.isPresent() || weights.isEmpty() ? file : OptionalDouble.of(Float.BYTES * weights.getAsDouble());
    }

    /** What to say of a run that is done: how good and how large the network is; nothing if its report does not tell. */
    public String summary() {
        StringBuilder text = new StringBuilder();
        SCORES.stream().filter(score -> number(score).isPresent()).findFirst().ifPresent(score -> text
                .append(String.format(Locale.ROOT, "%s %.4g", score, number(score).getAsDouble())));
        bytes().ifPresent(bytes -> text.append(text.isEmpty() ? "" : ", ")
                .append(String.format(Locale.ROOT, "%,.0f bytes", bytes)));
        return text.toString();
    }
}
