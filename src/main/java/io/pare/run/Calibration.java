package io.pare.run;

import io.pare.compress.constraint.ProjectionState;
import io.pare.compress.constraint.ScaledLevels;
import io.pare.data.Augmentation;
import io.pare.data.Corpus;
import io.pare.data.Dataset;
import io.pare.data.ImageFolder;
import io.pare.data.OddImages;
import io.pare.data.PictureReader;
import io.pare.data.Targets;
import io.pare.format.NetworkFile;
import io.pare.format.onnx.Bindings;
import io.pare.format.onnx.OnnxConstant;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxNames;
import io.pare.format.onnx.OnnxWeights;
import io.pare.format.onnx.Port;
import io.pare.format.pare.PareFile;
import io.pare.kernel.Projections;
import io.pare.mem.FloatTensor;
import io.pare.mem.Heap;
import io.pare.mem.Region;
import io.pare.natives.Natives;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Net;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import io.pare.net.Task;
import io.pare.rewrite.ValueForm;
import io.pare.text.Pooling;
import io.pare.text.PositionTables;
import io.pare.text.SentenceEncoder;
import io.pare.text.TextWindows;
import io.pare.text.WordPiece;
import io.pare.train.Network;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A trained network and inputs of it without labels: what a {@link CompressionJob} needs to compress it by a recipe that trains
 * nothing. What the network gives for the inputs is what it is to give: scores are the mean absolute change of its outputs.
 * Immutable.
 *
 * @param weights of the network
 * @param corpus the inputs, of which the first are for validation and test too, with the network's outputs as targets
 * @param names of the input and the output in its ONNX file, if it has one of each
 * @param all the network for texts of any length, if {@code weights} are for those of one
 * @param lengths tokens of the texts that make up a sample, in order; none if inputs are no texts
 */
public record Calibration(CompressedWeights weights, Corpus corpus, Optional<OnnxNames> names,
        Optional<CompressedWeights> all, List<Integer> lengths) {
    /** Outputs by which changes are measured, as far as whole samples allow. */
    private static final int MEASURED = 1 << 20;
    /** Of tables of positions, in root mean squares: an error of a thousandth of their square. */
    private static final ScaledLevels LEVELS = new ScaledLevels(0.1, 0);
    /** Inputs of a pass. */
    private static final int BATCH = 32;

    /** Copies the list. */
    public Calibration {
        lengths = List.copyOf(lengths);
    }

    /**
     * Reads an ONNX file and tensors for its inputs, whose sizes are those of dimensions that the file leaves free.
     *
     * @param file in ONNX
     * @param tensors a .npy file, or a .npz file with an array for each input
     * @param bindings says more
     * @return the network and its inputs
     * @throws RunException if an array is missing, unknown or of another shape than the network takes
     * @throws io.pare.file.FormatException if a file is damaged, or holds what Pare does not read
     * @throws IOException if a file cannot be read
     */
    public static Calibration ofOnnx(Path file, Path tensors, Bindings bindings) throws IOException {
        Map<String, OnnxConstant> inputs = inputs(tensors, ModelRun.inputs(file, bindings));
        ModelRun run = ModelRun.ofOnnx(file, inputs, bindings);
        CompressedWeights read = run.model().weights();
        check(tensors, inputs, read.scale());
        List<Port> taken = run.model().inputs();
        List<Port> given = run.model().outputs();
        Optional<OnnxNames> names = taken.size() == 1 && given.size() == 1
                ? Optional.of(new OnnxNames(taken.getFirst().name(), given.getFirst().name()))
                : Optional.empty();
        return of(named(file, read), tensors, run.vectors(inputs), names);
    }

    /**
     * Reads tensors for any network.
     *
     * @param weights of the network
     * @param tensors a .npy file {@code [n, ...]} of what it takes
     * @return the network and its inputs
     * @throws RunException if the array is of another shape than the network takes
     * @throws io.pare.file.FormatException if the file is damaged
     * @throws IOException if the file cannot be read
     */
    public static Calibration of(CompressedWeights weights, Path tensors) throws IOException {
        ModelRun run = ModelRun.of(weights);
        Map<String, OnnxConstant> inputs = inputs(tensors, run.model().inputs().stream().map(Port::name).toList());
        check(tensors, inputs, weights.scale());
        return of(weights, tensors, run.vectors(inputs), Optional.empty());
    }

    /**
     * Reads pictures as for evaluation.
     *
     * @param weights of the network
     * @param folder with pictures in it
     * @param most pictures at most, evenly spread over the folder; 0 for all
     * @param odd what becomes of pictures that cannot be read or are of other colours
     * @param notes takes a line for pictures of another size than the network's, which are brought to it
     * @return the network and its inputs
     * @throws RunException if the network takes no pictures, or they do not fit the heap
     * @throws io.pare.data.DataException if there are none, or one that cannot be read is refused
     * @throws IOException if a file cannot be read
     */
    public static Calibration ofPictures(CompressedWeights weights, Path folder, int most, OddImages odd,
            Consumer<String> notes) throws IOException {
        Shape input = weights.model().input().image();
        if (input.channels() != 1 && input.channels() != 3) {
            throw new RunException("pictures have 1 or 3 channels, " + weights.model().name() + " takes "
                    + weights.model().input().channels());
        }
        List<Path> files = PicturePredictor.find(List.of(folder), odd);
        int count = most > 0 ? Math.min(most, files.size()) : files.size();
        long bytes = (long) count * input.features() * Float.BYTES;
        if (!Heap.holds(bytes)) {
            throw new RunException(count + " pictures of " + folder + " " + Heap.shortage(bytes)
                    + ", or take fewer by --samples");
        }
        float[] inputs = new float[count * input.features()];
        int read = 0;
        try (PictureReader reader = new PictureReader(
                new ImageFolder.Shape(input.channels(), input.height(), input.width(), 0), weights.scale(), false, odd,
                notes)) {
            for (int i = 0; i < count; i++) {
                Path file = files.get((int) ((long) i * files.size() / count));
                read += reader.read(file, inputs, read * input.features()) ? 1 : 0;
            }
        }
        return of(weights, folder, Arrays.copyOf(inputs, read * input.features()), Optional.empty());
    }

    /**
     * Reads a sentence encoder and texts. An ONNX file takes texts of any lengths, a {@code .pare} file those of its own alone.
     *
     * @param file of a sentence encoder, see {@link SentenceEncoder#open}
     * @param tokenizer its {@code tokenizer.json}
     * @param text in UTF-8, a text in each line
     * @param most texts at most, the first of the file; 0 for all
     * @return the encoder for windows of texts, and these; see {@link #whole}
     * @throws RunException if a line is empty
     * @throws io.pare.file.FormatException if a file is damaged, or holds something else
     * @throws IOException if a file cannot be read
     */
    public static Calibration ofText(Path file, Path tokenizer, Path text, int most) throws IOException {
        WordPiece words = WordPiece.read(tokenizer);
        List<int[]> texts = Sentences.read(text).texts().stream().limit(most > 0 ? most : Long.MAX_VALUE)
                .map(words::encode).toList();
        CompressedWeights all = named(file, SentenceEncoder.network(file, words));
        // Refuses what is no encoder, before minutes are spent on it.
        SentenceEncoder.of(all, words, Pooling.MEAN);
        TextWindows windows = NetworkFile.format(file) == NetworkFile.Format.ONNX
                ? TextWindows.of(texts)
                : TextWindows.each(texts, all.model().input().features());
        CompressedWeights one = named(file, SentenceEncoder.network(file, windows.width()));
        if (!one.tensors().keySet().equals(all.tensors().keySet())) {
            throw new RunException(
                    file + " has other tensors for texts of " + windows.width() + " tokens: give a .npz file");
        }
        CompressedWeights weights = windows.apart(one, all);
        Calibration found = of(weights, text, windows.ids(), Optional.empty());
        return new Calibration(weights, found.corpus, found.names, Optional.of(all), windows.lengths());
    }

    private static CompressedWeights named(Path file, CompressedWeights read) {
        return new CompressedWeights(new Net(ModelSource.named(file), read.model().nodes()), read.tensors(),
                read.scale());
    }

    /**
     * {@return what is to be written of compressed weights: themselves, or the network for texts of any length with them}
     *
     * @param compressed of {@link #weights}
     * @param packed whether tables of positions may be rounded: they are a share of the file that nothing else makes smaller
     */
    public CompressedWeights whole(CompressedWeights compressed, boolean packed) {
        if (all.isEmpty()) {
            return compressed;
        }
        CompressedWeights network = all.get();
        Map<String, CompressedTensor> tensors = new HashMap<>(compressed.tensors());
        for (Parameter parameter : network.model().parameters()) {
            if (parameter.kind() == Parameter.Kind.CONSTANT) {
                tensors.put(parameter.name(), network.tensor(parameter.name()));
            }
        }
        if (packed) {
            PositionTables.fold(network.model(), tensors)
                    .forEach(name -> tensors.compute(name, (_, table) -> rounded(table)));
        }
        return new CompressedWeights(network.model(), tensors, network.scale());
    }

    /**
     * {@return what of a network's outputs counts: of texts the mean of their tokens, which is their vector but for its length, else
     * the outputs themselves}
     *
     * <p>What tables of words err differs from token to token, and means have little of it. What layers err is alike in all tokens.
     *
     * @param outputs of {@link #weights} for samples, one after another
     */
    public float[] counted(float... outputs) {
        if (lengths.isEmpty()) {
            return outputs;
        }
        int width = weights.model().classes() / weights.model().input().features();
        int windows = outputs.length / weights.model().classes();
        float[] means = new float[windows * lengths.size() * width];
        int token = 0;
        for (int text = 0; text < windows * lengths.size(); text++) {
            int length = lengths.get(text % lengths.size());
            for (int end = token + length; token < end; token++) {
                for (int i = 0; i < width; i++) {
                    means[text * width + i] += outputs[token * width + i] / length;
                }
            }
        }
        return means;
    }

    private static CompressedTensor rounded(CompressedTensor table) {
        try (Region region = Region.confined("positions"); Projections projections = Projections.open(1)) {
            FloatTensor from = region.tensor(table.shape());
            FloatTensor to = region.tensor(table.shape());
            table.copyTo(from);
            ProjectionState memory = new ProjectionState();
            LEVELS.project(List.of(from), List.of(to), memory, projections);
            return ScaledTensors.scaled(CompressedTensor.of(to), LEVELS.group(), memory.get(ScaledLevels.SCALES, 0));
        }
    }

    /**
     * {@return bytes of the file without weights: the network's description, biases, and tables of positions}
     *
     * @param packed whether biases and tables are to be rounded
     */
    public long rest(boolean packed) {
        Map<String, CompressedTensor> tensors = new HashMap<>();
        for (Parameter parameter : weights.model().parameters()) {
            CompressedTensor tensor = weights.tensor(parameter.name());
            if (parameter.weight()) {
                tensor = CompressedTensor.takingOver(new float[tensor.count()], tensor.shape());
            } else if (packed && parameter.kind() != Parameter.Kind.CONSTANT) {
                try (Region region = Region.confined("biases")) {
                    FloatTensor rounded = region.tensor(tensor.shape());
                    tensor.copyTo(rounded);
                    ValueForm.F16.round(rounded);
                    tensor = CompressedTensor.of(rounded);
                }
            }
            tensors.put(parameter.name(), tensor);
        }
        return PareFile.encode(whole(new CompressedWeights(weights.model(), tensors, weights.scale()), packed)).length;
    }

    /**
     * {@return whether a network in that file is to be read by {@link #ofOnnx}, since its tensors have names}
     *
     * @param model a name or a file
     * @param inputs a file or folder
     * @throws IOException if the file cannot be read
     */
    public static boolean hasNamedInputs(String model, Path inputs) throws IOException {
        Path file = Path.of(model);
        return Files.isRegularFile(file) && !Files.isDirectory(inputs) && ModelRun.isOnnx(file);
    }

    /** Checks inputs, which lie in vectors one after another, and asks the network about them. */
    private static Calibration of(CompressedWeights weights, Path source, float[] vectors, Optional<OnnxNames> names) {
        Net net = weights.model();
        int features = net.input().features();
        int count = vectors.length / features;
        for (int i = 0; i < vectors.length; i++) {
            if (!Float.isFinite(vectors[i])) {
                throw new RunException(source + ": value " + i % features + " of sample " + i / features + " is "
                        + vectors[i] + ": inputs must be finite");
            }
        }
        Shape sample = net.input().rank() == 3 ? net.input() : Shape.of(features);
        Dataset data = Dataset.ofFloats(source.toString(), sample, vectors,
                new Targets(Task.REGRESS, outputs(weights, source, vectors, count), net.classes()));
        Dataset measured = data.range(0, Math.clamp(MEASURED / net.classes(), 1, count));
        return new Calibration(weights,
                new Corpus(source.toString(), data, measured, measured, weights.scale(), Augmentation.NONE, List.of()),
                names, Optional.empty(), List.of());
    }

    private static float[] outputs(CompressedWeights weights, Path source, float[] vectors, int count) {
        int features = weights.model().input().features();
        int classes = weights.model().classes();
        float[] outputs = new float[Math.multiplyExact(count, classes)];
        try (Network network = Network.frozen(weights, Natives.enabled())) {
            for (int from = 0; from < count; from += BATCH) {
                int to = Math.min(count, from + BATCH);
                float[] given = network.outputs(Arrays.copyOfRange(vectors, from * features, to * features), to - from);
                System.arraycopy(given, 0, outputs, from * classes, given.length);
            }
        }
        for (int i = 0; i < outputs.length; i++) {
            if (!Float.isFinite(outputs[i])) {
                throw new RunException(source + ": for sample " + i / classes + " the network gives " + outputs[i]
                        + ": leave it out, or look for where it comes from");
            }
        }
        return outputs;
    }

    /** Refuses pixels, which would not be scaled, where the network takes scaled ones. */
    private static void check(Path file, Map<String, OnnxConstant> inputs, InputScale scale) {
        if (!scale.equals(InputScale.UNIT)
                && inputs.values().stream().anyMatch(each -> each.type() != OnnxConstant.Type.FLOAT)) {
            throw new RunException(file + " holds integers, and the network takes pixels of scale " + Scales.text(scale)
                    + ": give floats that are scaled so, or a folder of pictures");
        }
    }

    /** The tensors of a file by the inputs that they are for. */
    private static Map<String, OnnxConstant> inputs(Path file, List<String> names) throws IOException {
        Map<String, OnnxConstant> all = TensorFile.readAll(file);
        if (all.size() == 1 && names.size() == 1) {
            return Map.of(names.getFirst(), all.values().iterator().next());
        }
        if (all.containsKey(TensorFile.UNNAMED)) {
            throw new RunException(file + " holds one array, and the network takes " + String.join(", ", names)
                    + ": give a .npz file with an array for each");
        }
        return all;
    }

    /**
     * Writes compressed weights as an ONNX file with the names of the first one.
     *
     * @param into replaced in one step
     * @param compressed weights of the same network
     * @throws IllegalStateException if there are no {@link #names}
     */
    public void writeOnnx(Path into, CompressedWeights compressed) {
        OnnxFile.write(into, compressed, OnnxWeights.AS_THEY_ARE,
                names.orElseThrow(() -> new IllegalStateException(weights.model().name() + " has several inputs")));
    }
}
