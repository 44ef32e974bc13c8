package io.pare.cli;

import io.pare.compress.InfeasibleException;
import io.pare.compress.Pipeline;
import io.pare.compress.Training;
import io.pare.format.BiasForm;
import io.pare.format.CompressedWeights;
import io.pare.format.DeadPaths;
import io.pare.format.InputScale;
import io.pare.format.Mantissa;
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
    /** Validation accuracy that rounding may cost in all: one image of 5,000. */
    static final double ACCURACY_TOLERANCE = 0.0002;
    /** Share by which rounding may raise the validation loss in all. */
    static final double LOSS_TOLERANCE = 0.02;

    private static final List<BiasForm> FORMS = List.of(BiasForm.NONE, BiasForm.clustered(1), BiasForm.clustered(2),
            BiasForm.clustered(3), BiasForm.clustered(4), BiasForm.clustered(6), BiasForm.clustered(8),
            BiasForm.uniform(5), BiasForm.uniform(6), BiasForm.uniform(8), BiasForm.F16);
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
            int folded = DeadPaths.foldBiases(model, parameters);
            DeadPaths.Removed removed = DeadPaths.remove(model, parameters);
            return String.format(Locale.ROOT, "%d biases folded into later ones, %d weights and %d biases of dead units"
                    + " removed", folded, removed.weights(), removed.biases());
        }, null);
        Training.Evaluation before = training.validate();
        List<Parameter> all = model.parameters();
        for (Parameter parameter : all) {
            if (!parameter.weight()) {
                roundBiases(parameter.name(), before);
            }
        }
        for (Parameter parameter : all) {
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
        Map<String, float[]> saved = new LinkedHashMap<>();
        parameters.forEach((name, tensor) -> saved.put(name, tensor.toArray()));
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
        saved.forEach((name, values) -> parameters.get(name).copyFrom(values));
        return false;
    }
}
