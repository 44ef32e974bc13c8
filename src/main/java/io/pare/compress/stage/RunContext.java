package io.pare.compress.stage;

import com.fasterxml.jackson.core.type.TypeReference;
import io.pare.compress.Guarantee;
import io.pare.compress.RunState;
import io.pare.compress.Training;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.GlobalBudget;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.Projector;
import io.pare.compress.constraint.Quantization;
import io.pare.compress.constraint.SparseClustering;
import io.pare.compress.constraint.Sparsity;
import io.pare.compress.constraint.StructuredSparsity;
import io.pare.mem.CriticalSection;
import io.pare.mem.OneThread;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What the stages of one run share and hand on. */
public final class RunContext {
    /** What {@link ProjectionState} puts behind a name that stands for one tensor. */
    private static final String ONLY = ".0";

    public final Training training;
    public final List<Variable> all;
    public final List<Variable> weights;
    /** Allowed values by tensor, as the last stage with values found them; ascending. */
    public final Map<String, double[]> levels = new LinkedHashMap<>();
    /** Tensors whose zeros are levels or go to one, rather than standing apart. */
    public final List<String> zeroIsNoCase = new ArrayList<>();
    public final List<Guarantee> guarantees = new ArrayList<>();
    /** Epochs since the run began. */
    public long epoch;
    public double projectionSeconds;
    public double trainingSeconds;
    /** Where ADMM keeps Z and U while a stage runs; {@code null} for memory. */
    public Path admmFile;

    public RunContext(Training training) {
        this.training = training;
        this.all = training.variables();
        this.weights = all.stream().filter(Variable::compressible).toList();
    }

    /** What enters it keeps the values' memory until it leaves. */
    public CriticalSection section(String subject) {
        CriticalSection section = new CriticalSection(new OneThread(subject));
        all.forEach(variable -> section.on(variable.value().segment()));
        return section;
    }

    public Variable variable(String name) {
        return all.stream().filter(variable -> variable.name().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no tensor '" + name + "'"));
    }

    public long weightCount() {
        return weights.stream().mapToLong(variable -> variable.value().count()).sum();
    }

    /** Adds what a stage's result lies in. New values of a tensor take the place of those that it had before. */
    public void guarantee(Guarantee next) {
        if (choosesValues(next.constraint())) {
            guarantees.removeIf(last -> last.tensors().equals(next.tensors())
                    && (last.constraint() instanceof Clustering || last.constraint() instanceof Quantization));
        }
        guarantees.add(next);
    }

    private static boolean choosesValues(Constraint constraint) {
        return switch (constraint) {
            case Clustering clustering -> true;
            case Quantization levels -> true;
            case SparseClustering joint -> true;
            case Sparsity sparsity -> false;
            case StructuredSparsity sparsity -> false;
            case GlobalSparsity sparsity -> false;
            case GlobalBudget budget -> false;
        };
    }

    public void visit(RunState state) {
        epoch = state.count("epoch", epoch);
        projectionSeconds = state.number("projectionSeconds", projectionSeconds);
        trainingSeconds = state.number("trainingSeconds", trainingSeconds);
        ProjectionState values = new ProjectionState();
        levels.forEach((name, codes) -> values.put(name, 0, codes));
        state.memory("levels", values);
        String apart = state.text("zeroIsNoCase", String.join(" ", zeroIsNoCase));
        List<Guarantee> proofs = state.json("guarantees", guarantees, new TypeReference<List<Guarantee>>() {});
        if (state.reading()) {
            List<String> names = all.stream().map(Variable::name).toList();
            levels.clear();
            values.all().forEach((key, codes) -> {
                String name = key.endsWith(ONLY) ? key.substring(0, key.length() - ONLY.length()) : key;
                if (!names.contains(name)) {
                    throw state.damaged("levels", null);
                }
                levels.put(name, codes);
            });
            zeroIsNoCase.clear();
            zeroIsNoCase.addAll(apart.isEmpty() ? List.of() : List.of(apart.split(" ")));
            guarantees.clear();
            for (Guarantee proof : proofs) {
                if (proof == null || !names.containsAll(proof.tensors())) {
                    throw state.damaged("guarantees", null);
                }
                guarantees.add(proof);
            }
        }
        all.forEach(variable -> state.tensor("value." + variable.name(), variable.value()));
        if (state.reading()) {
            levels.forEach((name, codes) -> {
                boolean ascend = IntStream.range(1, codes.length).allMatch(i -> codes[i - 1] < codes[i]);
                if (!ascend || codes.length == 0 && Projector.nonzeros(variable(name).value()) > 0) {
                    throw state.damaged("levels", null);
                }
            });
        }
    }
}
