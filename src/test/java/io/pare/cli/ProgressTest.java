package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.LayerRow;
import io.pare.compress.stage.EpochRow;
import io.pare.compress.stage.StageRow;
import io.pare.net.Task;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What is shown while a run goes: it fits the terminal, and the forecast follows the present rate. */
class ProgressTest {
    private static final double NANOS = 1e9;

    private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
    private final TerminalWriter err = TerminalWriter.of(shown, StandardCharsets.UTF_8);
    private long now;

    private void pass(double seconds) {
        now += (long) (seconds * NANOS);
    }

    @Test
    void theForecastForgetsSlowFirstSteps() {
        Pace pace = new Pace(100_000, 1_000, 64, () -> now);
        assertEquals("-", pace.left(0));
        // The first steps are interpreted: twenty times slower than all others.
        int done = 0;
        for (; done < 25; done++) {
            pass(0.2);
            pace.step();
        }
        for (; done < 525; done++) {
            pass(0.01);
            pace.step();
        }
        // After ten seconds a mean since the start would say half an hour, for what takes 1,000 seconds.
        double mean = now / NANOS / done * (100_000 - done);
        assertTrue(mean > 1_800, "the mean says " + mean);
        assertTrue(pace.left(done).matches("(16|17|18|19|2\\d)m .*"), pace.left(done));
        for (; done < 2_525; done++) {
            pass(0.01);
            pace.step();
        }
        assertTrue(pace.left(done).matches("16m .*"), pace.left(done));
        assertTrue(pace.rate().startsWith("6,3"), pace.rate());
    }

    @Test
    void validationIsPartOfTheForecastButNotOfTheRate() {
        Pace pace = new Pace(100, 10, 1, () -> now);
        for (int step = 0; step < 20; step++) {
            pass(2);
            pace.step();
            if (step % 10 == 9) {
                pass(25);
                pace.between(true);
                pass(5);
                pace.between(false);
            }
        }
        assertEquals("0", pace.rate().replace("1", "0"), "half an image a second");
        assertEquals(ProgressView.duration(80 * 2 + 8 * 30), pace.left(20));
    }

    @Test
    void theBarFitsTheTerminalWhateverItsWidthBecomes() {
        int[] columns = {80};
        for (int width : new int[]{80, 50, 200, 20, 1}) {
            columns[0] = width;
            shown.reset();
            ProgressView.Bar bar = new ProgressView.Bar(err, () -> columns[0]);
            bar.step("epoch 10/100", 500, 1_000, () -> "ETA 12m 34s  12,345 img/s  loss 0.1234 acc 0.9876");
            String text = text();
            assertTrue(text.startsWith("\r\u001b[?7l") && text.endsWith("\u001b[K\u001b[?7h"), "wraps: " + text);
            String visible = text.replaceAll("\r|\u001b\\[\\??\\w+", "");
            assertTrue(visible.length() < Math.max(width, 2), width + " columns: " + visible);
            assertTrue(width < 50 || visible.contains("ETA 12m 34s  12,345 img/s"), visible);
            shown.reset();
            bar.line("said");
            assertEquals("\r\u001b[Ksaid\n", text());
        }
    }

    @Test
    void theLinesOfACompressionFitEightyColumns() {
        CompressionLines lines = new CompressionLines(err, Task.CLASSIFY, () -> now);
        List<LayerRow> layers = IntStream.range(0, 16)
                .mapToObj(i -> new LayerRow("features." + i + ".conv.weight", 102_760_448, 1_048_576 + i, 65_537, 32, 1,
                        1))
                .toList();
        lines.stageBegins(10, 12, "progressive-prune", 120);
        pass(91);
        lines.epoch(new EpochRow(1, 100, 120, 0.1, 6.9077, 0.9876, 6.9077, 90, 1, List.of(), layers));
        lines.stageEnds(new StageRow(10, "progressive-prune", 0.9876, 12.3456, 0, Map.of(), Map.of(), 90, 1, layers,
                List.of()));
        List<String> all = text().lines().toList();
        assertTrue(all.stream().allMatch(line -> line.length() < 80), text());
        assertTrue(all.get(1).contains("100/120 ETA 30m 20s loss 6.9077 val 0.9876 (6.9077) kept 16777336 res 0.000"),
                all.get(1));
        assertTrue(all.size() > 6 && all.getLast().contains("features.15.conv 1048591/102760448 u65537"), text());
    }

    private String text() {
        err.flush();
        return shown.toString(StandardCharsets.UTF_8).replace("\r\n", "\n");
    }
}
