package io.pare.infer;

import io.pare.file.FormatException;
import io.pare.format.pare.PareFile;
import io.pare.kernel.SparseKernels;
import io.pare.mem.Heap;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Liveness;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Parameter;
import io.pare.net.TensorOp;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A compressed network that predicts straight from its compressed form.
 *
 * <pre>{@code
 * try (var model = CompressedModel.load(path)) {
 *     float[] probabilities = model.predict(image);
 * }
 * }</pre>
 *
 * <p>Immutable and thread-safe: any number of threads may call {@link #predict} of one model at the same time. Each call
 * borrows scratch memory, which the model keeps for later calls. Threads that predict all the time take a
 * {@link #session} of their own. Nothing is off-heap and no native library is loaded: {@link #close} only gives back the
 * scratch memory and refuses calls that come later with {@link IllegalStateException}.
 *
 * <p>Inputs that are NaN or infinite are refused, see {@link Session}.
 */
public final class CompressedModel implements AutoCloseable {
    /** Samples that a batch is cut into: a multiple of every vector's length, with activations that fit a cache. */
    static final int BLOCK = 16;

    private final CompressedWeights weights;
    private final SparseKernels kernels;
    private final Plan single;
    private final Plan block;
    private final AtomicReferenceArray<Session> idle;
    private volatile boolean closed;

    private CompressedModel(CompressedWeights weights) {
        this.weights = weights;
        this.kernels = SparseKernels.active();
        long bytes = planBytes(weights);
        checkHeap(bytes);
        boolean[][] needed = Liveness.of(weights);
        this.single = Plan.of(weights, needed, 1);
        checkHeap(bytes + single.bufferBytes());
        this.block = Plan.of(weights, needed, BLOCK);
        this.idle = new AtomicReferenceArray<>(2 * Runtime.getRuntime().availableProcessors());
    }

    /** Bytes of weights, of the plans for one sample and for a block of them, and of one sample and its result. */
    private static long planBytes(CompressedWeights weights) {
        Net model = weights.model();
        long bytes = (long) Float.BYTES * (model.input().features() + model.classes());
        for (Node node : model.layers()) {
            bytes += 2L * node.output().channels();
            for (Parameter parameter : node.parameters()) {
                bytes += bytes(node, parameter, weights.tensor(parameter.name()));
            }
        }
        return bytes;
    }

    private static long bytes(Node node, Parameter parameter, CompressedTensor tensor) {
        if (node.op() instanceof TensorOp) {
            // Both plans hold it dense.
            return 2L * Float.BYTES * tensor.count();
        }
        long rows = parameter.shape()[0];
        return parameter.weight()
                ? 24L * tensor.nonzeros() + 24 * rows + (Plan.isDense(tensor) ? 4L * tensor.count() : 0)
                : 16 * rows;
    }

    private void checkHeap(long bytes) {
        if (!Heap.holds(bytes)) {
            throw new IllegalArgumentException("predicting with " + model().name() + " " + Heap.shortage(bytes));
        }
    }

    /** Reads a {@code .pare} file. Throws {@link FormatException} if it is none or damaged. */
    public static CompressedModel load(Path path) throws IOException {
        return of(PareFile.read(path));
    }

    /** Makes weights ready to predict. Throws {@link IllegalArgumentException} if the heap is too small for that. */
    public static CompressedModel of(CompressedWeights weights) {
        return new CompressedModel(Objects.requireNonNull(weights));
    }

    /** The network. */
    public Net model() {
        return weights.model();
    }

    /** The weights as they are in the file. */
    public CompressedWeights weights() {
        return weights;
    }

    /** How pixels of 0 to 255 become inputs. */
    public InputScale scale() {
        return weights.scale();
    }

    /**
     * The probability of each class.
     *
     * @param image inputs in CHW order, scaled as in training: see {@link #scale}
     * @throws IllegalArgumentException if there are fewer or more than one image has, or one is no finite number
     */
    public float[] predict(float[] image) {
        float[] probabilities = new float[model().classes()];
        Session session = borrow();
        try {
            session.predict(image, probabilities);
        } finally {
            giveBack(session);
        }
        return probabilities;
    }

    /**
     * As {@link #predict(float[])} for {@code count} images, one after another; the result has a row for each. What lies in
     * the array beyond them is left alone.
     */
    public float[] predict(float[] images, int count) {
        Session session = borrow();
        try {
            session.checkImages(images, count);
            float[] probabilities = new float[Math.multiplyExact(count, model().classes())];
            session.predict(images, count, probabilities);
            return probabilities;
        } finally {
            giveBack(session);
        }
    }

    /** As {@link #predict(float[], int)} into an array of the caller: makes no garbage. */
    public void predict(float[] images, int count, float[] probabilities) {
        Session session = borrow();
        try {
            session.predict(images, count, probabilities);
        } finally {
            giveBack(session);
        }
    }

    /** The logits of {@code count} images, one after another, into rows of {@code classes} values: makes no garbage. */
    public void logits(float[] images, int count, float[] logits) {
        Session session = borrow();
        try {
            session.logits(images, count, logits);
        } finally {
            giveBack(session);
        }
    }

    /** The most probable class of one image; the lowest of equals. */
    public int classify(float[] image) {
        float[] probabilities = predict(image);
        int best = 0;
        for (int c = 1; c < probabilities.length; c++) {
            if (probabilities[c] > probabilities[best]) {
                best = c;
            }
        }
        return best;
    }

    /** Scratch memory of the caller's own, for one thread. */
    public Session session() {
        if (closed) {
            throw new IllegalStateException("model " + model().name() + " is closed");
        }
        return new Session(kernels, model(), single, block);
    }

    private Session borrow() {
        if (closed) {
            throw new IllegalStateException("model " + model().name() + " is closed");
        }
        for (int i = 0; i < idle.length(); i++) {
            Session session = idle.get(i) == null ? null : idle.getAndSet(i, null);
            if (session != null) {
                return session;
            }
        }
        return session();
    }

    private void giveBack(Session session) {
        for (int i = 0; i < idle.length(); i++) {
            if (idle.get(i) == null && idle.compareAndSet(i, null, session)) {
                return;
            }
        }
    }

    /** How each layer runs, for one sample. */
    public List<String> describe() {
        return single.describe();
    }

    @Override
    public void close() {
        closed = true;
        for (int i = 0; i < idle.length(); i++) {
            idle.set(i, null);
        }
    }
}
