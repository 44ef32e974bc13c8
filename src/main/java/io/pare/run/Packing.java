package io.pare.run;

import io.pare.compress.Training;
import io.pare.compress.constraint.ScaledLevels;
import io.pare.compress.recipe.InfeasibleException;
import io.pare.compress.recipe.Pipeline;
import io.pare.format.pare.PareFile;
import io.pare.mem.FloatTensor;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.Parameter;
import io.pare.rewrite.DeadPaths;
import io.pare.rewrite.Mantissa;
import io.pare.rewrite.UnitOrder;
import io.pare.rewrite.ValueForm;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Makes a compressed network's file small: removes what cannot change the output, rounds biases and values to few bits,
 * sorts units.
 *
 * <p>Changes the network in place, so what is measured afterwards is what the file holds. A rounding stays only if
 * validation accuracy and loss stay within the tolerances of the network before any rounding. Every step stays only if
 * all constraints still hold. Test data is not looked at. Owns nothing; one thread, used once.
 */
public final class Packing {
    /** Validation accuracy that rounding may cost in all: two images of 5,000. */
    public static final double ACCURACY_TOLERANCE = 0.0004;
    /** Share by which rounding may raise the validation loss in all. */
    public static final double LOSS_TOLERANCE = 0.02;

    /** What biases become, about in the order of their cost. */
    private static final List<ValueForm> FORMS = List.of(ValueForm.NONE, ValueForm.clustered(1), ValueForm.clustered(2),
            ValueForm.clustered(3), ValueForm.uniform(3), ValueForm.clustered(4), ValueForm.uniform(4),
            ValueForm.uniform(5), ValueForm.uniform(6), ValueForm.uniform(8), ValueForm.F16);
    /** What biases that can move into later ones keep. */
    private static final List<ValueForm> FOLDED = List.of(ValueForm.NONE, ValueForm.uniform(2), ValueForm.uniform(3),
            ValueForm.uniform(4), ValueForm.uniform(5), ValueForm.uniform(6));
    /** What weights without a codebook become. */
    private static final List<ValueForm> CODEBOOKS = List.of(ValueForm.clustered(4), ValueForm.clustered(6),
            ValueForm.clustered(8), ValueForm.clustered(12), ValueForm.clustered(16), ValueForm.clustered(24),
            ValueForm.clustered(32));
    /** Most weights to cluster, which takes time by the square of their number. */
    private static final int CLUSTERED_VALUES = 4096;
    private static final int MOST_MANTISSA_BITS = 12;
    private static final int MOST_LENIENCY = 8;
    /** Multiply-adds of a sample above which validation takes too long for a search of the fewest bits. */
    private static final long SEARCHED_MULTIPLY_ADDS = 4_000_000;
    private static final int LARGE_MANTISSA_BITS = 8;
    /** Networks of more weights are not sorted: each order that is tried is coded, which takes minutes. */
    private static final long SORTED_WEIGHTS = 1 << 24;

    /**
     * What was done.
     *
     * @param step in words
     * @param validationAccuracy after it
     * @param validationLoss after it
     */
    public record Row(String step, double validationAccuracy, double validationLoss) {}

    private final Net model;
    private final Map<String, FloatTensor> parameters;
    private final Training training;
    private final Pipeline pipeline;
    private final InputScale scale;
    private final List<Row> rows = new ArrayList<>();
    /** Times the usual tolerances. */
    private double leniency = 1;

    /**
     * Prepares to pack a network.
     *
     * @param model layers of the network
     * @param parameters live tensors of the network that {@code training} evaluates, by name; they are changed in
     *            place
     * @param training that validates
     * @param pipeline that has run, whose constraints are checked
     * @param scale how pixels become inputs; it is stored in the file
     */
    public Packing(Net model, Map<String, FloatTensor> parameters, Training training, Pipeline pipeline,
            InputScale scale) {
        this.model = model;
        this.parameters = parameters;
        this.training = training;
        this.pipeline = pipeline;
        this.scale = scale;
    }

    /**
     * Runs all steps, and again with twice the tolerances where the file is too large, up to {@value #MOST_LENIENCY} times
     * them. Whether the file is small enough in the end is left to the caller.
     *
     * @param mostBytes of the file; 0 for any
     * @return the steps that stayed
     */
    public List<Row> run(double mostBytes) {
        Map<String, float[]> start = saved();
        List<Row> steps = run();
        while (mostBytes > 0 && leniency < MOST_LENIENCY && PareFile.encode(weights()).length > mostBytes) {
            leniency *= 2;
            restore(start);
            rows.clear();
            steps = run();
        }
        return steps;
    }

    /**
     * Runs all steps. No step throws: one that breaks a constraint is taken back.
     *
     * @return the steps that stayed
     */
    public List<Row> run() {
        attempt(() -> {
            DeadPaths.Removed removed = DeadPaths.remove(model, parameters);
            return String.format(Locale.ROOT, "%d weights and %d biases of dead units removed", removed.weights(),
                    removed.biases());
        }, null);
        Training.Evaluation before = training.validate();
        if (model.multiplyAdds() > SEARCHED_MULTIPLY_ADDS) {
            roundAll(before);
        } else {
            // Weights first: there is more to gain, and the first to be rounded find the tolerances unspent.
            for (Parameter parameter : model.parameters().reversed()) {
                if (parameter.weight()) {
                    roundValues(parameter.name(), before);
                }
            }
            roundBiases(before);
        }
        if (model.weightCount() <= SORTED_WEIGHTS) {
            attempt(this::sortUnits, null);
        }
        return List.copyOf(rows);
    }

    private String sortUnits() {
        CompressedWeights sorted = UnitOrder.sort(weights());
        sorted.tensors().forEach((name, tensor) -> tensor.copyTo(parameters.get(name)));
        return "units sorted";
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
        for (ValueForm stays : foldable.isEmpty() ? List.of(ValueForm.NONE) : FOLDED) {
            restore(start);
            rows.clear();
            rows.addAll(startRows);
            Map<String, ValueForm> kept = new LinkedHashMap<>();
            foldable.forEach(name -> kept.put(name, stays));
            attempt(() -> {
                int folded = DeadPaths.foldBiases(model, parameters, kept);
                DeadPaths.remove(model, parameters);
                return folded + " biases folded into later ones" + (kept.isEmpty() ? "" : ", kept as " + kept);
            }, null);
            for (Parameter parameter : model.parameters()) {
                String name = parameter.name();
                if (parameter.kind() == Parameter.Kind.BIAS
                        && kept.keySet().stream().noneMatch(layer -> name.equals(layer + ".bias"))) {
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

    /** One form for all, where validation takes too long for a search. */
    private void roundAll(Training.Evaluation before) {
        Set<String> levels = pipeline.guarantees().stream()
                .filter(guarantee -> guarantee.constraint() instanceof ScaledLevels)
                .flatMap(guarantee -> guarantee.tensors().stream()).collect(Collectors.toSet());
        attempt(() -> {
            model.parameters().forEach(parameter -> {
                if (levels.contains(parameter.name())) {
                    return;
                }
                if (parameter.weight()) {
                    Mantissa.round(parameters.get(parameter.name()), LARGE_MANTISSA_BITS);
                } else {
                    ValueForm.F16.round(parameters.get(parameter.name()));
                }
            });
            return "biases as f16, weights to " + LARGE_MANTISSA_BITS + " bits of mantissa";
        }, before);
    }

    private void roundBiases(String name, Training.Evaluation before) {
        if (weights().tensor(name).nonzeros() == 0) {
            return;
        }
        for (ValueForm form : FORMS) {
            if (attempt(() -> {
                form.round(parameters.get(name));
                return name + " as " + form;
            }, before)) {
                return;
            }
        }
    }

    /** Gives values that have no codebook one, unless they are too many; then rounds to few bits of mantissa. */
    private void roundValues(String name, Training.Evaluation before) {
        CompressedTensor tensor = weights().tensor(name);
        if (!tensor.isCoded() && tensor.nonzeros() <= CLUSTERED_VALUES) {
            for (ValueForm form : CODEBOOKS) {
                if (attempt(() -> {
                    form.round(parameters.get(name));
                    return name + " as " + form;
                }, before)) {
                    break;
                }
            }
        }
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

    private CompressedWeights weights() {
        return CompressedWeights.of(model, parameters, scale);
    }

    /** Takes a step, and takes it back if a constraint breaks or, compared with {@code before}, too much is lost. */
    private boolean attempt(Supplier<String> step, Training.Evaluation before) {
        Map<String, float[]> saved = saved();
        String what = step.get();
        try {
            pipeline.check();
            Training.Evaluation after = training.validate();
            if (before == null || after.accuracy() >= before.accuracy() - leniency * tolerance(before.accuracy())
                    && after.loss() <= before.loss() * (1 + leniency * LOSS_TOLERANCE)) {
                rows.add(new Row(what, after.accuracy(), after.loss()));
                return true;
            }
        } catch (InfeasibleException e) {
            // The constraint, say a pattern within a block, matters more than some bytes.
        }
        restore(saved);
        return false;
    }

    /** How much accuracy may be lost; of errors, whose scores are negative, so much of their size. */
    private static double tolerance(double score) {
        return score < 0 ? ACCURACY_TOLERANCE * -score : ACCURACY_TOLERANCE;
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
