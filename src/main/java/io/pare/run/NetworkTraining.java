package io.pare.run;

import io.pare.compress.LayerVisitor;
import io.pare.compress.StepHook;
import io.pare.compress.TensorGroups;
import io.pare.compress.Training;
import io.pare.compress.TrainingOptions;
import io.pare.compress.UnitLink;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Budget;
import io.pare.compress.constraint.Cost;
import io.pare.compress.constraint.UnitGroups;
import io.pare.data.Augmentation;
import io.pare.data.Batches;
import io.pare.data.Crop;
import io.pare.data.Dataset;
import io.pare.data.Shift;
import io.pare.data.Warp;
import io.pare.descent.Attack;
import io.pare.exec.backend.Precision;
import io.pare.kernel.Bits;
import io.pare.kernel.Penalty;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.mpi.Ranks;
import io.pare.net.Groups;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Parameter;
import io.pare.train.LayerWalk;
import io.pare.train.Network;
import io.pare.train.Robustness;
import io.pare.train.Teachers;
import io.pare.train.Trainer;
import io.pare.train.TrainingSettings;
import io.pare.train.Weight;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Joins the trainer, which knows no constraint, to compression, which knows no network: what
 * {@link io.pare.compress.recipe.Pipeline} and {@link io.pare.compress.recipe.Compression} steer when they compress a
 * {@link Network}.
 *
 * <p>Owns the threads that load images, which {@link #close} ends; networks, teachers and data stay the caller's and must
 * outlive it. One thread at a time.
 */
public final class NetworkTraining implements Training, AutoCloseable {
    /** Samples of {@link #outputs} at most, and their values. */
    private static final int SHOWN = 256;
    private static final int SHOWN_VALUES = 1 << 19;
    private static final int SHOWN_AT_ONCE = 8;

    private final Network network;
    private final @Nullable Teachers teachers;
    private final Dataset train;
    private final Dataset validation;
    private final InputScale scale;
    private final Crop crop;
    private final long seed;
    private final int stepLimit;
    private final Precision precision;
    private final List<Variable> variables;
    private Trainer trainer;
    private TrainingOptions current;
    private boolean apart;
    private boolean currentApart;
    private Divergence divergence;
    private Consumer<String> warned = line -> {
    };
    private UnaryOperator<TrainingSettings> passes = UnaryOperator.identity();
    private UnaryOperator<float[]> counted = UnaryOperator.identity();
    private Function<Budget.Quantity, @Nullable Cost> costs;

    /**
     * Makes a training of a network.
     *
     * @param network that is trained and compressed, in place
     * @param teachers that stages distil from; {@code null} if none does
     * @param train what steps see
     * @param validation what {@link #validate} measures
     * @param scale how pixels become inputs
     * @param crop part of training images that is taken, where they are larger than the input
     * @param seed of the order of images, augmentation and dropout
     * @param stepLimit steps of an epoch at most; 0 for all of the data
     * @param precision of training steps; validation is in fp32, as what is made is used
     */
    public NetworkTraining(Network network, @Nullable Teachers teachers, Dataset train, Dataset validation,
            InputScale scale,
            Crop crop,
            long seed, int stepLimit, Precision precision) {
        this.network = network;
        this.teachers = teachers;
        this.train = train;
        this.validation = validation;
        this.scale = scale;
        this.crop = crop;
        this.seed = seed;
        this.stepLimit = stepLimit;
        this.precision = precision;
        this.divergence = divergence(line -> {
        });
        this.variables = variables(network);
        this.costs = new Budgets(List.of(), network.model(), scale, List.of())::known;
    }

    /** Says what layers cost beyond what follows from the network. */
    void costs(Budgets known) {
        costs = known::known;
    }

    /**
     * {@return the tensors of a network as compression sees them, for callers with a training loop of their own}
     *
     * @param network whose weights they are; it must outlive them
     */
    public static List<Variable> variables(Network network) {
        return network.weights().stream().<Variable>map(Trained::new).toList();
    }

    private record Trained(Weight weight) implements Variable {
        @Override
        public String name() {
            return weight.name();
        }

        @Override
        public FloatTensor value() {
            return weight.value();
        }

        @Override
        public FloatTensor gradient() {
            return weight.gradient();
        }

        @Override
        public boolean compressible() {
            return weight.decays();
        }

        @Override
        public void penalize(@Nullable Penalty penalty) {
            weight.penalize(penalty);
        }

        @Override
        public void mask(@Nullable Bits kept) {
            weight.mask(kept);
        }
    }

    @Override
    public List<Variable> variables() {
        return variables;
    }

    @Override
    public Ranks ranks() {
        return network.ranks();
    }

    @Override
    public void apart(boolean each) {
        apart = each;
    }

    @Override
    public void begin(TrainingOptions options) {
        divergence.restart();
        if (options.equals(current) && apart == currentApart) {
            optimizerState().values().forEach(state -> state.fill(0f));
            trainer.steps(0);
            return;
        }
        current = options;
        currentApart = apart;
        close();
        trainer = new Trainer(network, train, scale, passes.apply(settings(options, teachers, crop, seed, precision)),
                apart);
    }

    /**
     * Says who hears, in a line, of a loss that grows out of all proportion; by default nobody.
     *
     * @param listener called by the thread that trains
     */
    public void warnings(Consumer<String> listener) {
        warned = listener;
        divergence = divergence(listener);
    }

    /**
     * Says what of {@link #outputs} counts; by default they do as they are.
     *
     * @param found makes it of the outputs of some samples, one after another
     */
    public void counted(UnaryOperator<float[]> found) {
        counted = found;
    }

    private Divergence divergence(Consumer<String> listener) {
        return Divergence.of(train, network.model().classes(), "give the stage a smaller learningRate", listener);
    }

    /**
     * Says in which passes a step sees its batch: chosen by whoever bounds memory, as {@link MemoryFit} does.
     *
     * @param chosen takes a stage's settings and gives them with passes
     */
    public void passes(UnaryOperator<TrainingSettings> chosen) {
        passes = chosen;
    }

    /**
     * {@return the settings of a trainer that a stage's options ask for}
     *
     * @param options of the stage
     * @param teachers that it distils from; may be {@code null} where {@code options} do not distil
     * @param crop how images are shifted and mirrored
     * @param seed of all that is random
     * @param precision of training steps
     */
    public static TrainingSettings settings(TrainingOptions options, @Nullable Teachers teachers, Crop crop, long seed,
            Precision precision) {
        TrainingSettings.Distillation distillation = options.distill() == 0
                ? null
                : new TrainingSettings.Distillation(teachers, (float) options.temperature(), (float) options.distill());
        TrainingOptions.Warp bounds = options.warp();
        Warp warp = new Warp((float) bounds.rotate(), (float) bounds.zoom(), (float) bounds.shear(),
                (float) bounds.elastic());
        Shift shift = options.shift() == 0 ? Shift.NONE : new Shift(options.shift(), !warp.equals(Warp.NONE));
        return new TrainingSettings(options.batchSize(), options.descent().optimizer(), options.dropout(),
                new Augmentation(shift, crop, options.flip(), warp), distillation, seed, precision, 1, 0,
                false, options.descent().clipNorm()).under(options.attack());
    }

    @Override
    public boolean hasTeacher() {
        return teachers != null;
    }

    @Override
    public Epoch epoch(long epoch, DoubleUnaryOperator rate, StepHook hook) {
        int all = trainer.stepsPerEpoch();
        int steps = stepLimit == 0 ? all : Math.min(stepLimit, all);
        double share = (double) all / steps;
        trainer.epoch(Math.toIntExact(epoch), 0, done -> rate.applyAsDouble(done * share), new Trainer.StepListener() {
            @Override
            public void beforeUpdate(int batch, int batches) {
                hook.beforeUpdate(batch, steps);
            }

            @Override
            public boolean afterUpdate(Trainer.Progress progress) {
                divergence.see(progress.loss());
                return progress.batch() < steps;
            }
        });
        if (trainer.slow() != null) {
            warned.accept(trainer.slow());
        }
        return new Epoch(trainer.progress().loss(), trainer.progress().samples());
    }

    @Override
    public Evaluation validate() {
        io.pare.train.Evaluation found = current == null || current.attack() == null
                ? measure(validation)
                : io.pare.train.Evaluation.under(network, validation, scale, current.attack(), seed);
        return new Evaluation(found.score(), found.loss());
    }

    /**
     * {@return how good the network is on any data set, in fp32}
     *
     * @param data samples and targets
     */
    public io.pare.train.Evaluation measure(Dataset data) {
        return io.pare.train.Evaluation.of(network, data, scale);
    }

    /**
     * {@return what of a data set stays right under an attack, in fp32}
     *
     * @param data pictures with one class each
     * @param attack on each of them, once
     */
    public Robustness measure(Dataset data, Attack attack) {
        return Robustness.of(network, data, scale, attack, 1, seed);
    }

    @Override
    public float[] outputs() {
        int features = network.model().input().features();
        int classes = network.model().classes();
        Dataset shown = validation.range(0, Math.clamp(SHOWN_VALUES / classes, 1, Math.min(SHOWN, validation.size())));
        float[] outputs = new float[Math.multiplyExact(shown.size(), classes)];
        int batch = Math.ceilDiv(shown.size(), Math.ceilDiv(shown.size(), SHOWN_AT_ONCE));
        int done = 0;
        try (Region region = Region.confined("outputs"); Batches batches = Batches.inOrder(shown, batch, scale)) {
            FloatTensor inputs = region.tensor(batch, features);
            MemorySegment labels = region.allocate((long) batch * Integer.BYTES);
            for (int count = batches.next(inputs, labels); count > 0; count = batches.next(inputs, labels)) {
                // Always as many, for each number keeps memory of its own.
                float[] given = network.outputs(inputs.toArray(), batch);
                System.arraycopy(given, 0, outputs, done, count * classes);
                done += count * classes;
            }
        }
        return counted.apply(outputs);
    }

    /** By tables of costs that were given; without one there is no cost of time or energy. */
    @Override
    public @Nullable Cost cost(Budget.Quantity quantity) {
        return costs.apply(quantity);
    }

    @Override
    public Cost fileBytes() {
        return new FileBytes(network.model(), scale);
    }

    @Override
    public List<Variable> layers() {
        Set<String> shown = LayerWalk.weights(network.model()).stream().map(Parameter::name)
                .collect(Collectors.toSet());
        return variables.stream().filter(variable -> shown.contains(variable.name())).toList();
    }

    @Override
    public long @Nullable [] lookups(int samples, Variable table) {
        Node node = network.model().layers().stream().filter(each -> each.op().looksUp()
                && each.input() == 0 && each.weight().name().equals(table.name())).findFirst().orElse(null);
        if (node == null) {
            return null;
        }
        long[] counts = new long[Math.toIntExact(table.value().size(0))];
        Dataset shown = shown(samples);
        int features = network.model().input().features();
        int batch = Math.min(shown.size(), 64);
        try (Region region = Region.confined("lookups"); Batches batches = Batches.inOrder(shown, batch, scale)) {
            FloatTensor rows = region.tensor(batch, features);
            MemorySegment labels = region.allocate((long) batch * Integer.BYTES);
            for (int count = batches.next(rows, labels); count > 0; count = batches.next(rows, labels)) {
                for (long i = 0; i < (long) count * features; i++) {
                    // The network itself refuses what is no row.
                    int id = (int) rows.get(i);
                    if (id >= 0 && id < counts.length) {
                        counts[id]++;
                    }
                }
            }
        }
        return counts;
    }

    private Dataset shown(int samples) {
        return samples > 0 && samples < train.size() ? train.split(samples, seed).validation() : train;
    }

    @Override
    public void walk(int samples, boolean sequential, LayerVisitor visitor) {
        Dataset shown = shown(samples);
        Map<String, Variable> byName = new HashMap<>();
        variables.forEach(variable -> byName.put(variable.name(), variable));
        LayerWalk.run(network, shown, scale, sequential,
                (weight, inputs) -> visitor.layer(byName.get(weight.name()), new LayerVisitor.Inputs() {
                    @Override
                    public int width() {
                        return inputs.width();
                    }

                    @Override
                    public void forEach(Consumer<FloatTensor> block) {
                        inputs.forEach(block);
                    }
                }));
    }

    @Override
    public Map<String, FloatTensor> optimizerState() {
        Map<String, FloatTensor> states = new LinkedHashMap<>();
        for (Weight weight : network.weights()) {
            List<String> names = weight.stateNames(trainer.settings().optimizer());
            for (int i = 0; i < names.size(); i++) {
                states.put(names.get(i) + "." + weight.name(), weight.state(i));
            }
        }
        return states;
    }

    @Override
    public long optimizerSteps() {
        return trainer.steps();
    }

    @Override
    public void optimizerSteps(long steps) {
        trainer.steps(steps);
    }

    /** Ends the threads that load images; the networks stay. */
    @Override
    public void close() {
        if (trainer != null) {
            trainer.close();
        }
    }

    @Override
    public @Nullable String output() {
        return output(network.model());
    }

    /**
     * {@return the name of the last layer's weights; {@code null} for a model without weights}
     *
     * @param model network whose layers are asked
     */
    public static @Nullable String output(Net model) {
        return model.parameters().stream().filter(Parameter::weight).map(Parameter::name)
                .reduce((first, next) -> next).orElse(null);
    }

    @Override
    public boolean leadsPast(Set<String> weights) {
        return network.model().leadsPast(node -> node.parameters().stream().filter(Parameter::weight).findFirst()
                .map(Parameter::name).filter(weights::contains).isPresent());
    }

    /** Batches of the training data that statistics are gathered from. */
    private static final int CALIBRATION = 100;

    @Override
    public void recalibrate() {
        trainer.recalibrate(stepLimit == 0 ? CALIBRATION : Math.min(stepLimit, CALIBRATION));
    }

    @Override
    public TensorGroups groups() {
        return groups(network.model());
    }

    /**
     * {@return the units of a network that go together, as compression sees them}
     *
     * @param model network whose layers are asked
     */
    public static TensorGroups groups(Net model) {
        Groups groups = Groups.of(model);
        List<TensorGroups.Slices> slices = groups.slices().stream().map(each -> new TensorGroups.Slices(each.tensor(),
                each.dimension(), each.axis(), switch (each.kind()) {
                    case WEIGHT -> each.reads() ? TensorGroups.Role.READS : TensorGroups.Role.GIVES;
                    case SCALE -> TensorGroups.Role.SCALE;
                    case BIAS -> TensorGroups.Role.SHIFT;
                    case MEAN, VARIANCE, CONSTANT -> TensorGroups.Role.OTHER;
                })).toList();
        List<UnitGroups.Work> work =
                groups.work().stream().map(each -> new UnitGroups.Work(each.each(), each.axes())).toList();
        return new TensorGroups(groups.count(), groups.axes(), slices, work, groups.held());
    }

    @Override
    public List<UnitLink> links() {
        return network.model().links().stream().map(link -> {
            List<Parameter> producer = link.producer().parameters();
            return new UnitLink(producer.getFirst().name(), producer.get(1).name(), link.consumer().weight().name());
        }).toList();
    }
}
