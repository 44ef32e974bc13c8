package io.pare.train;

import io.pare.descent.Optimizer;
import io.pare.exec.Backend;
import io.pare.exec.Binding;
import io.pare.exec.Graph;
import io.pare.exec.Parts;
import io.pare.exec.Tape;
import io.pare.exec.Value;
import io.pare.exec.backend.Backends;
import io.pare.exec.backend.Precision;
import io.pare.kernel.Bits;
import io.pare.mem.CriticalSection;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.mem.Workspace;
import io.pare.mpi.Ranks;
import io.pare.net.CompressedWeights;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Parameter;
import io.pare.net.Task;
import io.pare.rewrite.BatchNormFolding;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A model with memory for its parameters and, for each batch size that is asked for, a compiled tape.
 *
 * <p>Owns all of it; {@link #close} frees it, and is refused while something computes. One thread at a time: a second one
 * gets {@link IllegalStateException}, and so does one that computes after the close.
 */
public final class Network implements Binding, AutoCloseable {
    /** Name of the images' input in every tape. */
    public static final String IMAGES = "images";
    /** Name of the teacher's logits in tapes that distil. */
    public static final String TEACHER = "teacher";
    /** Name of the targets in tapes of tasks without classes. */
    public static final String TARGETS = "targets";

    private static final int SHALLOW = 5;
    private static final double LINEAR_DEVIATION = 0.01;
    /**
     * Share of a pass's multiplications that masks may leave for sparse tapes to be used. LeNet-5 with a quarter of
     * them left takes 0.44 of the time of a dense epoch on oneDNN (5.6 and 12.8 s, one core of a Zen 4).
     */
    private static final double SPARSE_SHARE = 0.5;

    private final Net model;
    private final boolean useNative;
    /** Whether the weights stay what they are. */
    private final boolean frozen;
    private final Region region;
    /** No two tapes run at once, so all lie in the same memory. */
    private final Workspace workspace;
    private final CriticalSection section;
    private final Map<String, Weight> weights = new LinkedHashMap<>();
    private final Map<TapeKey, Tape> tapes = new HashMap<>();
    private final Map<Integer, Adversary> adversaries = new HashMap<>();
    private int evaluationBatch;
    private Ranks ranks = Ranks.alone();
    private @Nullable GradientExchange exchange;
    private @Nullable RankSums together;

    /**
     * Takes memory for a model and draws its initial values.
     *
     * <p>Weights and biases of up to {@value #SHALLOW} layers are uniform in +-1 / sqrt(fan-in), which is PyTorch's default
     * for convolutions and linear layers. That loses half of the signal's deviation and more at each ReLU, so deeper
     * networks start with normal weights of variance 2 / fan-in in convolutions, which keeps it (He, Zhang, Ren, Sun,
     * 1502.01852, equation 10), of deviation 0.01 in linear layers (Simonyan, Zisserman, 1409.1556, section 3.1), for the
     * maxima of pools and dropout's scaling make signals grow on the way there, and biases of zero.
     *
     * @param model layers and the shapes of their parameters
     * @param seed of the initial values: the same one gives the same bits on every machine
     * @param useNative whether oneDNN may be used
     * @return a network that its caller closes
     */
    public static Network create(Net model, long seed, boolean useNative) {
        Network network = new Network(model, useNative, false);
        SplittableRandom random = new SplittableRandom(seed);
        boolean deep = model.parameters().stream().filter(Parameter::weight).count() > SHALLOW;
        for (Weight weight : network.weights.values()) {
            FloatTensor value = weight.value();
            Parameter parameter = weight.parameter();
            switch (parameter.kind()) {
                case SCALE, VARIANCE -> value.fill(1f);
                case WEIGHT, BIAS -> {
                    if (!deep && parameter.fanIn() > 0) {
                        double bound = 1 / Math.sqrt(parameter.fanIn());
                        for (long i = 0; i < value.count(); i++) {
                            value.set(i, (float) random.nextDouble(-bound, bound));
                        }
                    } else if (parameter.weight()) {
                        double deviation = parameter.shape().length == 2
                                ? LINEAR_DEVIATION
                                : Math.sqrt(2.0 / parameter.fanIn());
                        for (long i = 0; i < value.count(); i++) {
                            value.set(i, (float) random.nextGaussian(0, deviation));
                        }
                    }
                }
                case MEAN, CONSTANT -> {
                    // Zero, as it was allocated.
                }
            }
        }
        return network;
    }

    /**
     * Takes memory for a network that predicts and is never trained: its normalisations are folded into the layers before
     * them, see {@link BatchNormFolding}, and a tape brings the weights into oneDNN's layouts once. Do not write to them.
     *
     * @param weights copied; they may be dropped afterwards
     * @param useNative whether oneDNN may be used
     * @return a network that its caller closes
     */
    public static Network frozen(CompressedWeights weights, boolean useNative) {
        CompressedWeights folded = BatchNormFolding.fold(weights);
        Network network = new Network(folded.model(), useNative, true);
        network.copyFrom(folded);
        return network;
    }

    private Network(Net model, boolean useNative, boolean frozen) {
        this.model = model;
        this.useNative = useNative;
        this.frozen = frozen;
        this.region = Region.shared("network " + model.name());
        this.workspace = new Workspace(region);
        this.section = new CriticalSection(workspace.oneThread()).on(region);
        try {
            for (Parameter parameter : model.parameters()) {
                weights.put(parameter.name(), new Weight(parameter, region));
            }
        } catch (RuntimeException | Error e) {
            region.close();
            throw e;
        }
    }

    /** The backend of its tapes in fp32. */
    Backend backend() {
        return Backends.dense(useNative);
    }

    /** What enters it has the network for itself, and open, until it leaves. */
    CriticalSection section() {
        return section;
    }

    /** {@return layers and shapes} */
    public Net model() {
        return model;
    }

    /** {@return every parameter and every statistic, in layer order} */
    public List<Weight> weights() {
        return List.copyOf(weights.values());
    }

    /**
     * Takes over the values of a network of the same model.
     *
     * @param values by name
     * @throws IllegalArgumentException if a parameter is missing or has another shape
     */
    public void copyFrom(CompressedWeights values) {
        weights.values().forEach(weight -> values.tensor(weight.name()).copyTo(weight.value()));
    }

    /** Lets training leave weights that are zero at zero, in a network that was just loaded or restored. */
    public void keepZeros() {
        weights.values().stream().filter(Weight::decays).forEach(Weight::keepZeros);
    }

    /**
     * {@return the parameter of that name}
     *
     * @param name as in {@link Net#parameters}
     * @throws IllegalArgumentException if there is none, with the names that there are
     */
    public Weight weight(String name) {
        Weight weight = weights.get(name);
        if (weight == null) {
            throw new IllegalArgumentException(model.name() + " has no parameter '" + name + "'; it has "
                    + weights.keySet());
        }
        return weight;
    }

    @Override
    public FloatTensor value(String parameter) {
        return weight(parameter).value();
    }

    @Override
    public FloatTensor gradient(String parameter) {
        return weight(parameter).gradient();
    }

    @Override
    public @Nullable Bits mask(String parameter) {
        return weight(parameter).mask();
    }

    /**
     * {@return whether sparse tapes can be used and are faster: masks leave few weights, and all layers have sparse
     * rules}
     *
     * @param batch samples of a pass
     * @param dropout whether dropout layers drop, for which there is no sparse rule
     */
    public boolean sparse(int batch, boolean dropout) {
        if (!Backends
                .sparseCovers(logits(new TapeKey(batch, dropout, null, true, Precision.FP32, Parts.WHOLE, false)))) {
            return false;
        }
        double dense = 0;
        double left = 0;
        for (Node node : model.layers()) {
            if (!node.parameters().isEmpty()) {
                Weight weight = weight(node.weight().name());
                double uses = (double) node.output().height() * node.output().width();
                dense += uses * weight.value().count();
                left += uses * (weight.mask() == null ? weight.value().count() : weight.masked());
            }
        }
        return left <= SPARSE_SHARE * dense;
    }

    /**
     * Gives everything that is trained memory for the optimiser's state, zeroed.
     *
     * @param optimizer decides how many tensors each parameter needs
     */
    public void prepare(Optimizer optimizer) {
        try (var _ = section.enter()) {
            for (Weight weight : weights.values()) {
                weight.prepare(optimizer);
            }
        }
    }

    /**
     * Trains and evaluates together with the networks of other processes, which are of the same model and do the same: each
     * takes a part of every batch. All have the values that the first one has now. Before anything else is done with it.
     *
     * @param together the processes
     * @param reduction of gradients
     * @return this
     * @throws IllegalStateException if it was trained already
     */
    public Network on(Ranks together, Reduction reduction) {
        ranks = together;
        if (together.size() > 1) {
            exchange = new GradientExchange(together, reduction, region, weights());
            this.together = reduction.statistics() ? new RankSums(together, region) : null;
            weights.values().forEach(weight -> together.from(0, weight.value().segment()));
        }
        return this;
    }

    /** {@return the processes that train this network; one unless {@link #on} said otherwise} */
    public Ranks ranks() {
        return ranks;
    }

    /** What sums gradients over the ranks; {@code null} where there is one. */
    @Nullable
    GradientExchange exchange() {
        return exchange;
    }

    /** Samples that evaluations take at once, at most; 0 for the usual number. */
    int evaluationBatch() {
        return evaluationBatch;
    }

    void evaluationBatch(int most) {
        evaluationBatch = most;
    }

    /** Memory that lives as long as the network. */
    Region region() {
        return region;
    }

    /**
     * {@return a tape of forward pass, loss and backward pass in fp32, the same one for equal arguments; the network
     * owns it}
     *
     * @param batch samples of a pass
     * @param dropout whether the model's dropout layers drop
     * @throws IllegalStateException if the network is frozen, closed, or used by another thread
     */
    public Tape trainingTape(int batch, boolean dropout) {
        return trainingTape(batch, dropout, Precision.FP32);
    }

    /**
     * {@return the tape of {@link #trainingTape(int, boolean)} in the given numbers; the network owns it}
     *
     * @param batch samples of a pass
     * @param dropout whether the model's dropout layers drop
     * @param precision of values between layers
     * @throws IllegalStateException if the network is frozen, closed, or used by another thread
     * @throws IllegalArgumentException if the machine does not compute in that precision
     */
    public Tape trainingTape(int batch, boolean dropout, Precision precision) {
        return training(new TapeKey(batch, dropout, Loss.of(Task.CLASSIFY), false, precision, Parts.WHOLE, false));
    }

    /**
     * Forward, loss and backward as settings say.
     *
     * @param task decides the loss; of one with targets these are a second input, {@link #TARGETS}, and where a teacher is
     *            given its logits are, {@link #TEACHER}
     * @param sparse whether to compute on the weights that masks leave, see {@link #sparse}; all values are kept then, and a
     *            pass sees one of {@link #slices}
     */
    Tape trainingTape(TrainingSettings settings, Task task, boolean sparse) {
        int slices = sparse ? slices(settings) : 1;
        return training(new TapeKey(settings.passSize() / slices, settings.dropout(), Loss.of(settings, task), sparse,
                settings.precision(),
                new Parts(settings.parts() * slices, settings.accumulate() > 1 || slices > 1,
                        settings.ranks() > 1 ? together : null),
                settings.recompute()));
    }

    /** How many passes of a sparse tape see what a dense one sees in one. */
    static int slices(TrainingSettings settings) {
        return settings.passSize() / Backends.SPARSE_BATCH;
    }

    private Tape training(TapeKey wanted) {
        if (frozen) {
            throw new IllegalStateException(model.name() + " is frozen: create a network to train it");
        }
        return tape(wanted, key -> {
            Value loss = key.loss().on(logits(key));
            return key.sparse()
                    ? Tape.training(region, new Workspace(region), loss, this, Backends.sparse(), key.parts(), false)
                    : Tape.training(region, workspace, loss, this, Backends.dense(useNative, key.precision()),
                            key.parts(), key.recompute());
        });
    }

    private Tape tape(TapeKey wanted, Function<TapeKey, Tape> compiler) {
        try (var _ = section.enter()) {
            return tapes.computeIfAbsent(wanted, compiler);
        }
    }

    /**
     * {@return a tape of the forward pass, which ends in the logits, the same one for equal arguments; the network
     * owns it}
     *
     * @param batch samples of a pass
     * @throws IllegalStateException if the network is closed, or used by another thread
     */
    public Tape inferenceTape(int batch) {
        return inferenceTape(batch, false, Precision.FP32);
    }

    /**
     * Runs the network forward, on a thread that is no virtual one.
     *
     * @param samples inputs of {@code count} samples, one after another, row-major
     * @param count how many, at least 1; each number of samples that is used keeps memory until the close
     * @return their outputs, likewise
     * @throws IllegalStateException if the network is closed, or used by another thread
     */
    public float[] outputs(float[] samples, int count) {
        Tape tape = inferenceTape(count);
        tape.input(IMAGES).copyFrom(samples);
        tape.forward(0);
        return tape.output().toArray();
    }

    /** {@return the numbers in which forward passes take least time on this machine} */
    Precision fastest() {
        return useNative && Precision.BF16.obstacle().isEmpty() ? Precision.BF16 : Precision.FP32;
    }

    /** As {@link #inferenceTape(int)}; sparse ones compute on the weights that masks leave, see {@link #sparse}. */
    Tape inferenceTape(int batch, boolean sparse, Precision precision) {
        return tape(new TapeKey(batch, false, null, sparse, precision, Parts.WHOLE, false),
                key -> sparse
                        ? Tape.inference(region, logits(key), this, Backends.sparse())
                        : dense(logits(key), Backends.dense(useNative, precision)));
    }

    /** What seeks inputs on which this network fails, in fp32, the same one for equal batches. */
    Adversary adversary(int batch) {
        try (var _ = section.enter()) {
            return adversaries.computeIfAbsent(batch,
                    size -> new Adversary(this, size, region, workspace, backend()));
        }
    }

    private Tape dense(Value logits, Backend backend) {
        return frozen
                ? Tape.frozen(region, workspace, logits, this, backend)
                : Tape.inference(region, workspace, logits, this, backend);
    }

    /**
     * What a training minimises.
     *
     * @param temperature of a distillation, which is one of classes; 0 for none
     * @param share of the teacher in it
     */
    private record Loss(Task task, float temperature, float share) {
        static Loss of(Task task) {
            return new Loss(task, 0, 0);
        }

        static Loss of(TrainingSettings settings, Task task) {
            TrainingSettings.Distillation distillation = settings.distillation();
            return distillation == null ? of(task) : new Loss(task, distillation.temperature(), distillation.share());
        }

        Value on(Value logits) {
            return switch (task) {
                case CLASSIFY -> temperature == 0
                        ? Graph.softmaxCrossEntropy(logits)
                        : Graph.distillation(logits, Graph.input(TEACHER, logits.shape()), temperature, share);
                case MULTILABEL -> Graph.binaryCrossEntropy(logits, Graph.input(TARGETS, logits.shape()));
                case REGRESS -> Graph.squaredError(logits, Graph.input(TARGETS, logits.shape()));
            };
        }
    }

    /**
     * What tells one compiled tape from another.
     *
     * @param loss of training; {@code null} for forward passes alone
     */
    private record TapeKey(int batch, boolean dropout, @Nullable Loss loss, boolean sparse, Precision precision,
            Parts parts,
            boolean recompute) {}

    /** What a training tape takes, found without taking it. */
    static Tape.Footprint footprint(Net model, TrainingSettings settings, Task task, boolean useNative) {
        Loss loss = Loss.of(settings, task);
        Value logits = logits(model, new TapeKey(settings.passSize(), settings.dropout(), loss, false,
                settings.precision(), Parts.WHOLE, settings.recompute()));
        return Tape.footprint(loss.on(logits), true, Backends.dense(useNative, settings.precision()),
                settings.accumulate(), settings.recompute());
    }

    /** What an inference tape takes in fp32, found without taking it. */
    static Tape.Footprint footprint(Net model, int batch, boolean useNative) {
        return Tape.footprint(logits(model, new TapeKey(batch, false, null, false, Precision.FP32, Parts.WHOLE, false)),
                false, Backends.dense(useNative), 1, false);
    }

    /** What an attack takes, found without taking it. */
    static Tape.Footprint attackFootprint(Net model, int batch, boolean useNative) {
        return Adversary.footprint(model, batch, Backends.dense(useNative));
    }

    private Value logits(TapeKey key) {
        return logits(model, key);
    }

    private static Value logits(Net model, TapeKey key) {
        return Graph.logits(model, IMAGES, key.batch(), key.dropout());
    }

    /**
     * Frees the parameters and the tapes; what is closed already stays so.
     *
     * @throws IllegalStateException if something computes on the network; it stays open then
     */
    @Override
    public void close() {
        region.close();
    }
}
