package io.pare.cli.sweep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Tables, pages and fronts of runs whose reports are made up. */
class SweepTableTest {
    private static SweepRow done(int number, String score, double value, double bytes) {
        return new SweepRow(new SweptRun(number, "0" + number, Map.of("seed", "" + number), List.of("compress")),
                new Ended(0, "bye"), new LinkedHashMap<>(Map.of(score, value, "bytesWithIndex", bytes)));
    }

    private static SweepRow failed(int number, String line) {
        return new SweepRow(new SweptRun(number, "0" + number, Map.of("seed", "" + number), List.of("compress")),
                new Ended(2, line), Map.of());
    }

    private static SweepRow unfinished(int number) {
        return new SweepRow(new SweptRun(number, "0" + number, Map.of("seed", "" + number), List.of("compress")), null,
                Map.of());
    }

    /** By the definition, of a few values so that there are ties. */
    @Test
    void theFrontIsWhatNoOtherRunBeats() {
        SplittableRandom random = new SplittableRandom(5);
        for (int round = 0; round < 200; round++) {
            boolean error = round % 2 == 1;
            List<SweepRow> rows = IntStream.range(0, random.nextInt(12)).mapToObj(i -> done(i + 1,
                    error ? "testMAE" : "testAccuracy", random.nextInt(5), random.nextInt(5))).toList();
            Front front = Front.of(rows);
            List<Double> sizes = front.best().stream().map(Front.Point::cost).toList();
            assertEquals(sizes.stream().sorted().distinct().toList(), sizes);
            for (Front.Point point : front.points()) {
                boolean beaten = front.points().stream().anyMatch(other -> {
                    double better = (error ? -1 : 1) * (other.score() - point.score());
                    return better >= 0 && other.cost() <= point.cost()
                            && (better > 0 || other.cost() < point.cost());
                });
                boolean alike = front.best().stream()
                        .anyMatch(best -> best.cost() == point.cost() && best.score() == point.score());
                assertEquals(!beaten, alike, point + " of " + rows);
            }
        }
    }

    @Test
    void csvAndJsonSayTheSame() throws IOException {
        List<SweepRow> rows =
                List.of(done(1, "testAccuracy", 0.5, 100), failed(2, "a \"bad\", bad day"), unfinished(3));
        List<String> lines = new SweepTable(rows).csv().lines().toList();
        assertTrue(lines.getFirst().startsWith("run,seed,state,exit,lastLine,onFront,"), lines.getFirst());
        assertTrue(lines.get(1).startsWith("1,1,done,0,,true,"), lines.get(1));
        assertEquals("2,2,failed,2,\"a \"\"bad\"\", bad day\",false,,", lines.get(2));
        assertEquals("3,3,unfinished,,,false,,", lines.get(3));
        JsonNode json = new ObjectMapper().readTree(new SweepTable(rows).json().json()).get("runs");
        assertEquals(0.5, json.get(0).get("report").get("testAccuracy").doubleValue());
        assertTrue(json.get(0).get("lastLine").isNull() && json.get(2).get("exit").isNull());
        assertEquals("a \"bad\", bad day", json.get(1).get("lastLine").asText());
    }

    @Test
    void thePageHasAllRunsAndAsksNobody() {
        List<SweepRow> rows =
                new ArrayList<>(List.of(done(1, "testAccuracy", 0.5, 100), done(2, "testAccuracy", 0.4, 90),
                        done(3, "testAccuracy", 0.3, 95), failed(4, "<script>alert()</script>"), unfinished(5)));
        String html = new SweepPage("Sweep a&b", rows).page().html();
        assertTrue(html.contains("Sweep a&amp;b") && html.contains("on the front") && html.contains("other runs"),
                html);
        assertTrue(html.contains("&lt;script&gt;alert"), html);
        assertFalse(html.replace("http://www.w3.org/2000/svg", "").matches("(?s).*(https?:|src=|@import).*"), html);
        assertTrue(new SweepPage("none", List.of(unfinished(1))).page().html().contains("nothing was measured"));
    }

    @Test
    void costsThatRunsHaveGetChartsBesideWhatPapersReached() {
        SweepRow row = new SweepRow(new SweptRun(1, "1", Map.of(), List.of("compress")), new Ended(0, ""),
                Map.of("model", "lenet5", "dataset", "MNIST", "testAccuracy", 0.99, "bytesWithIndex", 1500,
                        "bitOperations", 1e6));
        String html = new SweepPage("costs", List.of(row)).page().html();
        assertTrue(html.contains("Pareto front by bit operations") && html.contains("MIRACLE (ICLR 2019)"), html);
        assertFalse(html.contains("Pareto front by microseconds"), html);
        assertEquals(1520, Published.of("lenet5", "MNIST").getLast().fileBytes().getAsDouble());
        assertEquals(List.of(), Published.of("lenet5", "Fashion-MNIST"));
    }

    @Test
    void bytesAreThoseOfTheFileElseOfTheWeights() {
        SweptRun run = new SweptRun(1, "1", Map.of(), List.of("train"));
        assertEquals(400, new SweepRow(run, new Ended(0, ""), Map.of("weights", 100)).bytes().getAsDouble());
        assertEquals(7, new SweepRow(run, new Ended(0, ""), Map.of("weights", "w.onnx", "bytesWithIndex", 7)).bytes()
                .getAsDouble());
        assertTrue(new SweepRow(run, new Ended(0, ""), Map.of("weights", "w.onnx")).bytes().isEmpty());
        assertEquals("testMAE 0.2500, 400 bytes",
                new SweepRow(run, new Ended(0, ""), Map.of("testMAE", 0.25, "weights", 100)).summary());
    }
}
