package io.pare.infer;

import io.pare.file.FormatException;
import io.pare.format.pare.PareFile;
import io.pare.kernel.SparseKernels;
import io.pare.mem.Heap;
import io.pare.mem.Parallel;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.InputScale;
import io.pare.net.Liveness;
import io.pare.net.Net;
import io.pare.net.Node;
import io.pare.net.Parameter;
import io.pare.net.TensorOp;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

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
    /** Images that a thread takes at once: whole blocks, so that they are cut as they are for one thread. */
    private static final int PART = 4 * BLOCK;

    private final CompressedWeights weights;
    private final SparseKernels kernels;
    private final Plan single;
    private final Plan block;
    private final AtomicReferenceArray<Session> idle;
    private volatile PredictionListener listener;
    private volatile Executor executor;
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

    /**
     * Reads a {@code .pare} file. Throws {@link FormatException} if it is none or damaged.
     *
     * @param path of a {@code .pare} file
     * @return the model, ready to predict
     * @throws IOException if the file cannot be read
     */
    public static CompressedModel load(Path path) throws IOException {
        return of(PareFile.read(path));
    }

    /**
     * Reads the bytes of a {@code .pare} file to the end of the stream, which stays open: whoever opened it closes it.
     *
     * <pre>{@code
     * try (InputStream stream = Service.class.getResourceAsStream("/digits.pare")) {
     *     model = CompressedModel.load(stream);
     * }
     * }</pre>
     *
     * @param stream of at most 1 GB; what begins as no {@code .pare} file does is read no further
     * @return the model, ready to predict
     * @throws FormatException if it gives something else, too much of it, or the file is damaged
     * @throws NullPointerException if it is {@code null}, as for a resource that there is not
     * @throws IOException if the file cannot be read
     */
    public static CompressedModel load(InputStream stream) throws IOException {
        return of(PareFile.read(stream));
    }

    /**
     * As {@link #load(InputStream)}, of so many bytes at most.
     *
     * @param stream read to its end, not closed
     * @param most bytes that are read at most
     * @return the model, ready to predict
     * @throws IOException if the file cannot be read
     */
    public static CompressedModel load(InputStream stream, long most) throws IOException {
        return of(PareFile.read(stream, most));
    }

    /**
     * Makes weights ready to predict. Throws {@link IllegalArgumentException} if the heap is too small for that.
     *
     * @param weights a network and its tensors
     * @return the model, which shares the tensors
     */
    public static CompressedModel of(CompressedWeights weights) {
        return new CompressedModel(Objects.requireNonNull(weights));
    }

    /** {@return the network} */
    public Net model() {
        return weights.model();
    }

    /** {@return the weights as they are in the file} */
    public CompressedWeights weights() {
        return weights;
    }

    /** {@return how pixels of 0 to 255 become inputs} */
    public InputScale scale() {
        return weights.scale();
    }

    /**
     * {@return the probability of each class}
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
     *
     * @param images CHW floats of one image after another, scaled as {@link #scale} says
     * @param count number of images
     * @return a row of probabilities for each image
     */
    public float[] predict(float[] images, int count) {
        Session session = borrow();
        try {
            session.checkImages(Floats.ARRAY, images, count);
            float[] probabilities = new float[Math.multiplyExact(count, model().classes())];
            session.predict(images, count, probabilities);
            return probabilities;
        } finally {
            giveBack(session);
        }
    }

    /**
     * As {@link #predict(float[], int)} into an array of the caller: makes no garbage.
     *
     * @param images CHW floats of one image after another, scaled as {@link #scale} says
     * @param count number of images
     * @param probabilities receives a row for each image
     */
    public void predict(float[] images, int count, float[] probabilities) {
        run(Floats.ARRAY, images, count, probabilities, true);
    }

    /**
     * As {@link Session#predict(FloatBuffer, int, FloatBuffer)}, on any thread.
     *
     * @param images CHW floats of one image after another, scaled as {@link #scale} says
     * @param count number of images
     * @param probabilities receives a row for each image
     */
    public void predict(FloatBuffer images, int count, FloatBuffer probabilities) {
        run(Floats.BUFFER, images, count, probabilities, true);
    }

    /**
     * As {@link Session#predict(ByteBuffer, int, ByteBuffer)}, on any thread.
     *
     * @param images CHW floats of one image after another, scaled as {@link #scale} says
     * @param count number of images
     * @param probabilities receives a row for each image
     */
    public void predict(ByteBuffer images, int count, ByteBuffer probabilities) {
        run(Floats.BYTES, images, count, probabilities, true);
    }

    /**
     * As {@link Session#predict(MemorySegment, int, MemorySegment)}, on any thread.
     *
     * @param images CHW floats of one image after another, scaled as {@link #scale} says
     * @param count number of images
     * @param probabilities receives a row for each image
     */
    public void predict(MemorySegment images, int count, MemorySegment probabilities) {
        run(Floats.SEGMENT, images, count, probabilities, true);
    }

    /**
     * The logits of {@code count} images, one after another, into rows of {@code classes} values: makes no garbage.
     *
     * @param images CHW floats of one image after another, scaled as {@link #scale} says
     * @param count number of images
     * @param logits receives a row for each image
     */
    public void logits(float[] images, int count, float[] logits) {
        run(Floats.ARRAY, images, count, logits, false);
    }

    /**
     * As {@link Session#logits(FloatBuffer, int, FloatBuffer)}, on any thread.
     *
     * @param images CHW floats of one image after another, scaled as {@link #scale} says
     * @param count number of images
     * @param logits receives a row for each image
     */
    public void logits(FloatBuffer images, int count, FloatBuffer logits) {
        run(Floats.BUFFER, images, count, logits, false);
    }

    /**
     * As {@link Session#logits(ByteBuffer, int, ByteBuffer)}, on any thread.
     *
     * @param images CHW floats of one image after another, scaled as {@link #scale} says
     * @param count number of images
     * @param logits receives a row for each image
     */
    public void logits(ByteBuffer images, int count, ByteBuffer logits) {
        run(Floats.BYTES, images, count, logits, false);
    }

    /**
     * As {@link Session#logits(MemorySegment, int, MemorySegment)}, on any thread.
     *
     * @param images CHW floats of one image after another, scaled as {@link #scale} says
     * @param count number of images
     * @param logits receives a row for each image
     */
    public void logits(MemorySegment images, int count, MemorySegment logits) {
        run(Floats.SEGMENT, images, count, logits, false);
    }

    private <T> void run(Floats<T> floats, T images, int count, T outputs, boolean probabilities) {
        Executor helping = executor;
        Session session = borrow();
        try {
            if (helping == null || count <= PART) {
                session.run(floats, images, count, outputs, probabilities);
            } else {
                session.check(floats, images, count, outputs, probabilities);
                long begin = System.nanoTime();
                runInParts(helping, floats, images, count, outputs, probabilities);
                session.tell(count, begin);
            }
        } finally {
            giveBack(session);
        }
    }

    private <T> void runInParts(Executor helping, Floats<T> floats, T images, int count, T outputs,
            boolean probabilities) {
        Parallel.run(helping, Runtime.getRuntime().availableProcessors(), Math.ceilDiv(count, PART),
                () -> new Parallel.Task() {
                    private final Session session = take();

                    @Override
                    public void run(int item) {
                        session.part(floats, images, item * PART, Math.min(count, (item + 1) * PART), outputs,
                                probabilities);
                    }

                    @Override
                    public void close() {
                        giveBack(session);
                    }
                });
    }

    /**
     * Divides calls of more than {@value #PART} images among the calling thread and tasks of an executor from now on;
     * {@code null} for the calling thread alone. The bits are the same. The calling thread takes what no task has begun, so
     * a busy executor costs time and no more. Segments must be of a shared arena then. Sessions stay on their thread.
     *
     * @param next used by calls that begin from now on
     */
    public void executor(@Nullable Executor next) {
        executor = next;
    }

    /**
     * Tells this one of every prediction from now on, by sessions too; {@code null} for nobody. Any thread may call it.
     *
     * @param next used by calls that begin from now on
     */
    public void listener(@Nullable PredictionListener next) {
        listener = next;
    }

    /**
     * {@return the most probable class of one image; the lowest of equals}
     *
     * @param image CHW floats, scaled as {@link #scale} says; at least as many as the network takes
     */
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

    /** {@return the scratch memory of the caller's own, for one thread} */
    public Session session() {
        checkOpen();
        return open();
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("model " + model().name() + " is closed");
        }
    }

    private Session open() {
        return new Session(kernels, model(), single, block, () -> listener);
    }

    private Session borrow() {
        checkOpen();
        return take();
    }

    /** For a call that has begun: a close does not end it. */
    private Session take() {
        for (int i = 0; i < idle.length(); i++) {
            Session session = idle.get(i) == null ? null : idle.getAndSet(i, null);
            if (session != null) {
                return session;
            }
        }
        return open();
    }

    private void giveBack(Session session) {
        for (int i = 0; i < idle.length(); i++) {
            if (idle.get(i) == null && idle.compareAndSet(i, null, session)) {
                return;
            }
        }
    }

    /**
     * {@return for each step of one sample the layer that it belongs to; what follows from a layer alone, such as its
     * ReLU, is computed with it}
     */
    public List<String> steps() {
        return single.owners();
    }

    /** {@return how each layer runs, for one sample} */
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
