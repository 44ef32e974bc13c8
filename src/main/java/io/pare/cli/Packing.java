package io.pare.cli;

import io.pare.compress.InfeasibleException;
import io.pare.compress.Pipeline;
import io.pare.compress.Training;
import io.pare.format.BiasForm;
import io.pare.format.CompressedWeights;
import io.pare.format.DeadPaths;
import io.pare.format.InputScale;
import io.pare.format.Mantissa;
import io.pare.format.PareFile;
import io.pare.format.UnitOrder;
import io.pare.mem.FloatTensor;
import io.pare.model.Model;
import io.pare.model.Parameter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Makes a compressed network's file small: removes what cannot change the output, rounds biases and values to few bits,
 * sorts units.
 *
 * <p>Changes the network in place, so what is measured afterwards is what the file holds. A rounding stays only if
 * validation accuracy and loss stay within the tolerances of the network before any rounding, and every step only if all
 * constraints still hold. Test data is not looked at.
 */
final class Packing {
    /** Validation accuracy that rounding may cost in all: two images of 5,000. */
    static final double ACCURACY_TOLERANCE = 0.0004;
    /** Share by which rounding may raise the validation loss in all. */
    static final double LOSS_TOLERANCE = 0.02;

    /** What biases become, about in the order of their cost. */
    private static final List<BiasForm> FORMS = List.of(BiasForm.NONE, BiasForm.clustered(1), BiasForm.clustered(2),
            BiasForm.clustered(3), BiasForm.uniform(3), BiasForm.clustered(4), BiasForm.uniform(4),
            BiasForm.uniform(5), BiasForm.uniform(6), BiasForm.uniform(8), BiasForm.F16);
    /** What biases that can move into later ones keep. */
    private static final List<BiasForm> FOLDED = List.of(BiasForm.NONE, BiasForm.uniform(2), BiasForm.uniform(3),
            BiasForm.uniform(4), BiasForm.uniform(5), BiasForm.uniform(6));
    private static final int MOST_MANTISSA_BITS = 12;

    /**
     * What was done.
     *
     * @param step in words
     * @param validationAccuracy after it
     * @param validationLoss after it
     */
    record Row(String step, double validationAccuracy, double validationLoss) {}

    private final Model model;
    private final Map<String, FloatTensor> parameters;
    private final Training training;
    private final Pipeline pipeline;
    private final InputScale scale;
    private final List<Row> rows = new ArrayList<>();

    /** @param parameters live tensors of the network that {@code training} evaluates */
    Packing(Model model, Map<String, FloatTensor> parameters, Training training, Pipeline pipeline,
            InputScale scale) {
        this.model = model;
        this.parameters = parameters;
        this.training = training;
        this.pipeline = pipeline;
        this.scale = scale;
    }

    /** Runs all steps; returns those that stayed. */
    List<Row> run() {
        attempt(() -> {
            DeadPaths.Removed removed = DeadPaths.remove(model, parameters);
            return String.format(Locale.ROOT, "%d weights and %d biases of dead units removed", removed.weights(),
                    removed.biases());
        }, null);
        Training.Evaluation before = training.validate();
        roundBiases(before);
        for (Parameter parameter : model.parameters()) {
            if (parameter.weight()) {
                roundValues(parameter.name(), before);
            }
        }
        attempt(() -> {
            CompressedWeights sorted = UnitOrder.sort(weights());
            sorted.tensors().forEach((name, tensor) -> tensor.copyTo(parameters.get(name)));
            return "units sorted";
        }, null);
        return List.copyOf(rows);
    }

    /**
     * Rounds all biases. Where biases can move into later ones, tries how many bits of them best stay where they are:
     * what rounding takes from those moves on, so it costs no accuracy but makes the later ones harder to round.
     */
    private void roundBiases(Training.Evaluation before) {
        Map<String, float[]> start = saved();
        List<Row> startRows = List.copyOf(rows);
        Map<String, float[]> best = null;
        List<Row> bestRows = null;
        double least = Double.MAX_VALUE;
        List<String> foldable = DeadPaths.foldable(model);
        for (BiasForm stays : foldable.isEmpty() ? List.of(BiasForm.NONE) : FOLDED) {
            restore(start);
            rows.clear();
            rows.addAll(startRows);
            Map<String, BiasForm> kept = new LinkedHashMap<>();
            foldable.forEach(name -> kept.put(name, stays));
            attempt(() -> {
                int folded = DeadPaths.foldBiases(model, parameters, kept);
                DeadPaths.remove(model, parameters);
                return folded + " biases folded into later ones" + (kept.isEmpty() ? "" : ", kept as " + kept);
            }, null);
            for (Parameter parameter : model.parameters()) {
                String name = parameter.name();
                if (!parameter.weight() && kept.keySet().stream().noneMatch(layer -> name.equals(layer + ".bias"))) {
                    roundBiases(name, before);
                }
            }
            double bytes = PareFile.sizes(weights()).biases();
            if (bytes < least) {
                least = bytes;
                best = saved();
                bestRows = List.copyOf(rows);
            }
        }
        restore(best);
        rows.clear();
        rows.addAll(bestRows);
    }

    private void roundBiases(String name, Training.Evaluation before) {
        if (weights().tensor(name).nonzeros() == 0) {
            return;
        }
        for (BiasForm form : FORMS) {
            if (attempt(() -> {
                form.round(parameters.get(name));
                return name + " as " + form;
            }, before)) {
                return;
            }
        }
    }

    private void roundValues(String name, Training.Evaluation before) {
        for (int bits = 1; bits <= MOST_MANTISSA_BITS; bits++) {
            int tried = bits;
            if (attempt(() -> {
                Mantissa.round(parameters.get(name), tried);
                return name + " to " + tried + " bits of mantissa";
            }, before)) {
                return;
            }
        }
    }

    CompressedWeights weights() {
        return CompressedWeights.of(model, parameters, scale);
    }

    /** Takes a step, and takes it back if a constraint breaks or, compared with {@code before}, too much is lost. */
    private boolean attempt(Supplier<String> step, Training.Evaluation before) {
        Map<String, float[]> saved = saved();
        String what = step.get();
        try {
            pipeline.check();
            Training.Evaluation after = training.validate();
            if (before == null || after.accuracy() >= before.accuracy() - ACCURACY_TOLERANCE
                    && after.loss() <= before.loss() * (1 + LOSS_TOLERANCE)) {
                rows.add(new Row(what, after.accuracy(), after.loss()));
                return true;
            }
        } catch (InfeasibleException e) {
            // The constraint, say a pattern within a block, matters more than some bytes.
        }
        restore(saved);
        return false;
    }

    private Map<String, float[]> saved() {
        Map<String, float[]> saved = new LinkedHashMap<>();
        parameters.forEach((name, tensor) -> saved.put(name, tensor.toArray()));
        return saved;
    }

    private void restore(Map<String, float[]> saved) {
        saved.forEach((name, values) -> parameters.get(name).copyFrom(values));
    }
}
