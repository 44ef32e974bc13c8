package io.pare.compress.stage;

import com.fasterxml.jackson.core.type.TypeReference;
import io.pare.compress.Guarantee;
import io.pare.compress.TensorPattern;
import io.pare.compress.Training;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.Projector;
import io.pare.compress.constraint.Quantization;
import io.pare.descent.RunState;
import io.pare.descent.Stop;
import io.pare.mem.CriticalSection;
import io.pare.mem.OneThread;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** What the stages of one run share and hand on. One thread at a time. */
public final class RunContext {
    /** What {@link ProjectionState} puts behind a name that stands for one tensor. */
    private static final String ONLY = ".0";

    private final Training training;
    private final List<Variable> variables;
    private final List<Variable> weights;
    /** Allowed values by tensor, as the last stage with values found them; ascending. */
    private final Map<String, double[]> levels = new LinkedHashMap<>();
    /** Tensors whose zeros are levels or go to one, rather than standing apart. */
    private final List<String> zeroIsALevel = new ArrayList<>();
    private final List<Guarantee> guarantees = new ArrayList<>();
    private long epoch;
    private double projectionSeconds;
    private double trainingSeconds;
    private @Nullable Path admmFile;
    private Stop stop = Stop.BY_INTERRUPT;

    /**
     * Begins before the first stage.
     *
     * @param training that stages steer; the caller's
     */
    public RunContext(Training training) {
        this.training = training;
        this.variables = training.variables();
        this.weights = variables.stream().filter(Variable::compressible).toList();
    }

    /**
     * {@return a section: what enters it keeps the values' memory until it leaves}
     *
     * @param subject whose use by two threads it refuses, for the message
     */
    public CriticalSection section(String subject) {
        CriticalSection section = new CriticalSection(new OneThread(subject));
        variables.forEach(variable -> section.on(variable.value().segment()));
        return section;
    }

    /** {@return the training that the run steers} */
    public Training training() {
        return training;
    }

    /** {@return all tensors that training changes, in its order} */
    public List<Variable> variables() {
        return variables;
    }

    /**
     * {@return the variable of that name}
     *
     * @param name unique in the training
     * @throws IllegalArgumentException if there is none
     */
    public Variable variable(String name) {
        return variables.stream().filter(variable -> variable.name().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no tensor '" + name + "'"));
    }

    /** {@return those that constraints may touch} */
    public List<Variable> weights() {
        return weights;
    }

    /**
     * {@return those of {@link #weights} that any of these patterns names}
     *
     * @param patterns of a recipe
     */
    public List<Variable> weights(Collection<String> patterns) {
        return weights.stream().filter(variable -> TensorPattern.chosen(patterns, variable.name()) != null).toList();
    }

    /** {@return elements of all {@link #weights}} */
    public long weightCount() {
        return weights.stream().mapToLong(variable -> variable.value().count()).sum();
    }

    /** The training's links between tensors of {@code held}, as indices. */
    List<GlobalSparsity.Dependency> dependencies(List<Variable> held) {
        List<String> names = held.stream().map(Variable::name).toList();
        return training.links().stream()
                .filter(link -> names.contains(link.producer()) && names.contains(link.consumer()))
                .map(link -> new GlobalSparsity.Dependency(names.indexOf(link.producer()),
                        names.indexOf(link.consumer())))
                .toList();
    }

    /** {@return what the results of stages lie in, in their order} */
    public List<Guarantee> guarantees() {
        return List.copyOf(guarantees);
    }

    /**
     * Adds what a stage's result lies in. New values of a tensor take the place of those that it had before.
     *
     * @param next with the memory that proves it
     */
    public void guarantee(Guarantee next) {
        if (choosesValues(next.constraint())) {
            withdraw(last -> last.tensors().equals(next.tensors())
                    && (last.constraint() instanceof Clustering || last.constraint() instanceof Quantization));
        }
        guarantees.add(next);
    }

    /** Whether a constraint says by itself of each tensor which values it has. */
    private static boolean choosesValues(Constraint constraint) {
        return constraint.values() < Long.MAX_VALUE && !constraint.joint();
    }

    /** Adds what a stage's result lies in, beside all that holds of the same tensors. */
    void addGuarantee(Guarantee next) {
        guarantees.add(next);
    }

    /** Takes guarantees back in whose place a stage gives others. */
    void withdraw(Predicate<Guarantee> which) {
        guarantees.removeIf(which);
    }

    /** Hands the values that a constraint chose for one tensor on to the stages that follow. */
    void handOn(Guarantee values, boolean zeroApart) {
        String name = values.tensors().getFirst();
        ProjectionState state = new ProjectionState();
        state.replace(values.memory());
        levels.put(name, values.constraint() instanceof Quantization quantization
                ? quantization.scaled(state.get(Quantization.INTERVAL, 0)[0])
                : state.get(Clustering.CODEBOOK, 0));
        zeroIsALevel.remove(name);
        if (!zeroApart) {
            zeroIsALevel.add(name);
        }
    }

    /** Allowed values by tensor, as the last stage with values found them; ascending. Live. */
    Map<String, double[]> levels() {
        return levels;
    }

    /** Whether zeros of that tensor are a level or go to one, rather than standing apart. */
    boolean zeroIsALevel(String name) {
        return zeroIsALevel.contains(name);
    }

    /** Whether zeros stand apart in every tensor. */
    boolean zerosStandApart() {
        return zeroIsALevel.isEmpty();
    }

    /** {@return epochs since the run began} */
    public long epoch() {
        return epoch;
    }

    /** Counts an epoch and the seconds that it took. */
    void epochEnds(double projections, double training) {
        projectionSeconds += projections;
        trainingSeconds += training;
    }

    void countEpoch() {
        epoch++;
    }

    /** {@return seconds of all Z and U steps so far} */
    public double projectionSeconds() {
        return projectionSeconds;
    }

    /** {@return seconds of all W steps so far} */
    public double trainingSeconds() {
        return trainingSeconds;
    }

    /** {@return where ADMM keeps Z and U while a stage runs; {@code null} for memory} */
    public @Nullable Path admmFile() {
        return admmFile;
    }

    /**
     * Sets {@link #admmFile()}.
     *
     * @param file that does not exist yet, or {@code null}
     */
    public void admmFile(@Nullable Path file) {
        admmFile = file;
    }

    /**
     * When the run stops before it is done.
     *
     * @return what stages look at after each step
     */
    public Stop stop() {
        return stop;
    }

    /**
     * Sets {@link #stop()}.
     *
     * @param when it stops
     */
    public void stop(Stop when) {
        stop = when;
    }

    /**
     * Saves what stages share, values of all variables too, or takes it back.
     *
     * @param state that is saved or read
     */
    public void visit(RunState state) {
        epoch = state.count("epoch", epoch);
        projectionSeconds = state.number("projectionSeconds", projectionSeconds);
        trainingSeconds = state.number("trainingSeconds", trainingSeconds);
        ProjectionState values = new ProjectionState();
        levels.forEach((name, codes) -> values.put(name, 0, codes));
        values.visit(state, "levels");
        String apart = state.text("zeroIsNoCase", String.join(" ", zeroIsALevel));
        List<Guarantee> proofs = state.json("guarantees", guarantees, new TypeReference<List<Guarantee>>() {});
        if (state.reading()) {
            List<String> names = variables.stream().map(Variable::name).toList();
            levels.clear();
            values.all().forEach((key, codes) -> {
                String name = key.endsWith(ONLY) ? key.substring(0, key.length() - ONLY.length()) : key;
                if (!names.contains(name)) {
                    throw state.damaged("levels", null);
                }
                levels.put(name, codes);
            });
            zeroIsALevel.clear();
            zeroIsALevel.addAll(apart.isEmpty() ? List.of() : List.of(apart.split(" ")));
            guarantees.clear();
            for (Guarantee proof : proofs) {
                if (proof == null || !names.containsAll(proof.tensors())) {
                    throw state.damaged("guarantees", null);
                }
                guarantees.add(proof);
            }
        }
        variables.forEach(variable -> state.tensor("value." + variable.name(), variable.value()));
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
