package io.pare.infer;

import io.pare.format.CompressedWeights;
import io.pare.model.ImageShape;
import io.pare.model.Layer;
import io.pare.model.Layer.AvgPool;
import io.pare.model.Layer.Conv2d;
import io.pare.model.Layer.Linear;
import io.pare.model.Layer.MaxPool;
import io.pare.model.Layer.Relu;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A network computed plainly and in double precision: the oracle. */
public final class ReferenceNet {
    private final CompressedWeights weights;
    private final Map<String, float[]> dense = new HashMap<>();

    public ReferenceNet(CompressedWeights weights) {
        this.weights = weights;
        weights.tensors().forEach((name, tensor) -> dense.put(name, tensor.toArray()));
    }

    /** The logits of one image in CHW order. */
    public double[] logits(float[] image) {
        double[] values = new double[image.length];
        for (int i = 0; i < image.length; i++) {
            values[i] = image[i];
        }
        List<ImageShape> shapes = weights.model().shapes();
        List<Layer> layers = weights.model().layers();
        for (int i = 0; i < layers.size(); i++) {
            values = run(layers.get(i), shapes.get(i), shapes.get(i + 1), values);
        }
        return values;
    }

    private double[] run(Layer layer, ImageShape in, ImageShape out, double[] x) {
        double[] y = new double[out.features()];
        switch (layer) {
            case Conv2d conv -> convolve(conv, in, out, x, y);
            case Linear linear -> {
                float[] w = dense.get(linear.name() + ".weight");
                float[] b = dense.get(linear.name() + ".bias");
                for (int o = 0; o < linear.out(); o++) {
                    y[o] = b[o];
                    for (int i = 0; i < linear.in(); i++) {
                        y[o] += (double) w[o * linear.in() + i] * x[i];
                    }
                }
            }
            case MaxPool pool -> pool(in, out, x, y, pool.kernel(), pool.stride(), pool.padding(), true);
            case AvgPool pool -> pool(in, out, x, y, pool.kernel(), pool.stride(), pool.padding(), false);
            case Relu _ -> {
                for (int i = 0; i < x.length; i++) {
                    y[i] = Math.max(0, x[i]);
                }
            }
            default -> System.arraycopy(x, 0, y, 0, x.length);
        }
        return y;
    }

    private void convolve(Conv2d c, ImageShape in, ImageShape out, double[] x, double[] y) {
        float[] w = dense.get(c.name() + ".weight");
        float[] b = dense.get(c.name() + ".bias");
        int perGroup = c.in() / c.groups();
        for (int o = 0; o < c.out(); o++) {
            for (int oy = 0; oy < out.height(); oy++) {
                for (int ox = 0; ox < out.width(); ox++) {
                    double sum = b[o];
                    for (int i = 0; i < perGroup; i++) {
                        int channel = o / (c.out() / c.groups()) * perGroup + i;
                        for (int ky = 0; ky < c.kernelHeight(); ky++) {
                            for (int kx = 0; kx < c.kernelWidth(); kx++) {
                                int iy = oy * c.stride() + ky * c.dilation() - c.padding();
                                int ix = ox * c.stride() + kx * c.dilation() - c.padding();
                                if (iy >= 0 && iy < in.height() && ix >= 0 && ix < in.width()) {
                                    sum += (double) w[((o * perGroup + i) * c.kernelHeight() + ky) * c.kernelWidth()
                                            + kx] * x[(channel * in.height() + iy) * in.width() + ix];
                                }
                            }
                        }
                    }
                    y[(o * out.height() + oy) * out.width() + ox] = sum;
                }
            }
        }
    }

    private static void pool(ImageShape in, ImageShape out, double[] x, double[] y, int kernel, int stride, int padding,
            boolean max) {
        for (int c = 0; c < out.channels(); c++) {
            for (int oy = 0; oy < out.height(); oy++) {
                for (int ox = 0; ox < out.width(); ox++) {
                    double result = max ? Double.NEGATIVE_INFINITY : 0;
                    for (int ky = 0; ky < kernel; ky++) {
                        for (int kx = 0; kx < kernel; kx++) {
                            int iy = oy * stride + ky - padding;
                            int ix = ox * stride + kx - padding;
                            if (iy >= 0 && iy < in.height() && ix >= 0 && ix < in.width()) {
                                double value = x[(c * in.height() + iy) * in.width() + ix];
                                result = max ? Math.max(result, value) : result + value / (kernel * kernel);
                            }
                        }
                    }
                    y[(c * out.height() + oy) * out.width() + ox] = result;
                }
            }
        }
    }
}
