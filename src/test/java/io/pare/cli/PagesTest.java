package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.Pare;
import io.pare.compress.LayerRow;
import io.pare.compress.ResidualRow;
import io.pare.compress.Training;
import io.pare.compress.constraint.Feasibility;
import io.pare.compress.recipe.Pipeline;
import io.pare.compress.recipe.Recipe;
import io.pare.compress.recipe.Sensitivity;
import io.pare.compress.stage.EpochRow;
import io.pare.compress.stage.StageRow;
import io.pare.exec.backend.Precision;
import io.pare.net.Models;
import io.pare.net.Task;
import io.pare.run.CompressionResult;
import io.pare.train.Evaluation;
import io.pare.train.Metrics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What the pages of compression runs and sensitivity scans say and draw, without training anything. */
class PagesTest {
    private static final String TENSOR = "conv1.weight";

    /** Stages of so many epochs, of which those in {@code admm} have so many residuals an epoch. */
    private static String page(int stepLimit, String death, int[] epochs, int[] residuals) {
        LayerRow layer = new LayerRow(TENSOR, 25_000, 1234, 70, 7, 1079.75, 500);
        List<StageRow> stages = new ArrayList<>();
        long epoch = 0;
        for (int stage = 0; stage < epochs.length; stage++) {
            List<EpochRow> rows = new ArrayList<>();
            for (int i = 0; i < epochs[stage]; i++) {
                List<ResidualRow> found = new ArrayList<>();
                for (int constraint = 0; constraint < residuals[stage]; constraint++) {
                    found.add(new ResidualRow(TENSOR, "some set", Math.pow(0.1, 1 + constraint), 0.1, 1, 1, 0));
                }
                rows.add(new EpochRow(++epoch, i + 1, epochs[stage], 1e-3, 0.5, 0.9, 0.4, 1, 0, found, List.of(layer)));
            }
            stages.add(new StageRow(stage + 1, "stage", 0.9, 0.4, 1, Map.of(), Map.of(), 1, 0, List.of(layer), rows));
        }
        Pipeline.Result result = new Pipeline.Result(stages, List.of(layer),
                Map.of("conv1.weight+fc10762: at most 10762 non-zeros", new Feasibility(true, 0, "10762 non-zeros")),
                25_000, 1234, 1079.75, 280, 1579.75, new Training.Evaluation(0.9, 0.4), 1, 0);
        CompressionResult done = new CompressionResult(
                new Recipe("short", "lenet5", "One <sentence>.", Recipe.DENSE, List.of()), Models.byName("lenet5"),
                result, death, List.of(), measured(9954, 0.01), measured(9000, 0.4),
                Path.of("lenet5.pare"), 2000, 0, 0.1, List.of(), null, null);
        CompressionReport report = new CompressionReport(done, "MNIST", List.of(), 17, 3, Precision.FP32, stepLimit);
        Map<String, float[]> before = new LinkedHashMap<>(Map.of(TENSOR, new float[]{-0.5f, 0.25f, 0.5f}));
        return new CompressionPage(report, before, Map.of(TENSOR, new float[]{0, 0, 0.5f})).page().html();
    }

    /** An evaluation with so many right answers of 10,000. */
    private static Evaluation measured(int right, double loss) {
        int[] labels = new int[10_000];
        int[] predicted = new int[labels.length];
        Arrays.fill(predicted, right, labels.length, 1);
        return new Evaluation(new Metrics.OfClasses(10, labels, predicted, 1), loss, labels.length);
    }

    private static List<String> figures(String page) {
        return Pattern.compile("<figure.*?</figure>", Pattern.DOTALL).matcher(page).results().map(MatchResult::group)
                .toList();
    }

    private static List<String> found(String regex, String text) {
        return Pattern.compile(regex).matcher(text).results().map(match -> match.group(1)).toList();
    }

    @Test
    void allPlotsOverEpochsHaveOneAxisAndResidualsNoLineWithoutAdmm() {
        List<String> figures = figures(page(0, "", new int[]{2, 6, 2}, new int[]{1, 0, 1}));
        assertEquals(6, figures.size());
        for (String figure : figures.subList(0, 4)) {
            assertEquals(List.of("2", "4", "6", "8", "10"), found("dy=\"18\" text-anchor=\"middle\">([^<]*)<", figure));
            assertEquals(List.of("1", "2", "3"), found("<text class=\"rule\"[^>]*>([^<]*)<", figure));
        }
        assertEquals(List.of("M50.0 500.0 L150.0 500.0 M850.0 500.0 L950.0 500.0"),
                found("<g class=\"c0 d0\"[^>]*><path class=\"stroke\" d=\"([^\"]*)\"", figures.get(2)));
        assertTrue(figures.get(0).contains("dense network, on test data 0.9954"), figures.get(0));
    }

    @Test
    void aTensorUnderTwoConstraintsHasTwoLines() {
        List<String> figures = figures(page(0, "", new int[]{1, 2}, new int[]{1, 2}));
        assertEquals(List.of(TENSOR, TENSOR + ", constraint 2"), found("</svg>([^<]+)</li>", figures.get(2)));
    }

    @Test
    void aRunOfOneEpochWithoutAdmmHasAPoint() {
        List<String> figures = figures(page(0, "", new int[]{1}, new int[]{0}));
        assertEquals(4, figures.size(), "no residuals");
        assertTrue(figures.getFirst().contains("<path class=\"dots\" d=\"M500.0 "), figures.getFirst());
    }

    @Test
    void aPageNamesWhatItIsOf() {
        String page = page(0, "", new int[]{1}, new int[]{1});
        for (String fact : List.of("<dt>data</dt><dd>MNIST</dd>", "<dt>seed</dt><dd>17</dd>",
                "<dt>threads</dt><dd>3</dd>", "<dt>Pare</dt><dd>" + Pare.version() + ", commit " + Pare.commit(),
                ">1,234<", "fc10762: at most 10,762 non-zeros<", "One &lt;sentence&gt;.")) {
            assertTrue(page.contains(fact), fact);
        }
        assertFalse(page.contains("class=\"note\">"));
        String rehearsal = page(20, "stage 1 died", new int[]{1}, new int[]{1});
        assertTrue(rehearsal.contains("class=\"note\">a rehearsal: 20 steps"), rehearsal);
        assertTrue(rehearsal.contains("class=\"note\">stage 1 died; the file is not representative"), rehearsal);
    }

    @Test
    void sharesAreInPercentAndTheUntouchedAccuracyIsDrawn() {
        List<Sensitivity.Row> rows = new ArrayList<>();
        for (double share : Sensitivity.SHARES) {
            rows.add(new Sensitivity.Row(TENSOR, 25_000, share, 32, 0.9 + share / 100, 0.1));
        }
        for (int bits : Sensitivity.BITS) {
            rows.add(new Sensitivity.Row(TENSOR, 25_000, 1, bits, 0.98, 0.1));
        }
        String page = new SensitivityPage("lenet5", Task.CLASSIFY, Map.of("seed", "17"),
                new Sensitivity(new Training.Evaluation(0.9954, 0.02), rows)).page().html();
        List<String> figures = figures(page);
        List<String> ticks = found("dy=\"18\" text-anchor=\"middle\">([^<]*)<", figures.get(0));
        assertTrue(ticks.containsAll(List.of("0.1\u00a0%", "1\u00a0%", "10\u00a0%", "50\u00a0%")), ticks.toString());
        assertEquals(List.of("1", "2", "3", "4", "5", "6"),
                found("dy=\"18\" text-anchor=\"middle\">([^<]*)<", figures.get(1)));
        for (String figure : figures) {
            assertTrue(figure.contains("<line class=\"reference\"") && figure.contains("untouched 0.9954"), figure);
        }
        assertTrue(page.contains("<dt>seed</dt><dd>17</dd>") && page.contains("data-head=\"0.2\u00a0%\">0.9000<"),
                page);
    }
}
