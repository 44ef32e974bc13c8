package io.pare.net;

import io.pare.net.Op.ResponseNorm;
import io.pare.net.Op.Subsample;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The networks that Pare knows by name.
 *
 * <p>Layers bear the names under which the networks' weights are published, so that weights are found by name:
 * {@code conv1} to {@code fc8} as in Caffe for AlexNet; as in torchvision for most others.
 */
public final class Models {
    private static final Shape MNIST = Shape.of(1, 28, 28);
    private static final Shape CIFAR = Shape.of(3, 32, 32);
    private static final Shape IMAGENET = Shape.of(3, 224, 224);
    private static final List<String> RECOGNISED =
            List.of("lenet5", "lenet5-relu", "lenet300", "mnist-teacher", "resnet20",
                    "resnet32", "vgg11-cifar", "vgg11-bn-cifar", "vgg16-cifar", "vgg16-bn-cifar", "alexnet",
                    "alexnet-torchvision", "vgg11", "vgg11-bn", "vgg16", "vgg16-bn", "resnet18", "resnet50");
    private static final List<String> NAMES = Stream.concat(RECOGNISED.stream(), Stream.of("mobilenet-v2",
            "mobilenet-v2-cifar", "squeezenet1-1", "densenet121", "shufflenet-v2", "efficientnet-b0", "inception-v3",
            "unet", "vit-b-16", "vit-tiny", "bert-mini", "lstm-tagger")).toList();

    /** Channels of VGG's convolutions; 0 stands for a pool. */
    private static final int[] VGG11 = {64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0};
    private static final int[] VGG16 = {64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0};

    private Models() {}

    /** {@return names that {@link #byName} takes} */
    public static List<String> names() {
        return NAMES;
    }

    /**
     * {@return the names of those that a file of another program is taken for where its layers are the same: to build the
     * others would take longer than to read most files}
     */
    public static List<String> recognised() {
        return RECOGNISED;
    }

    /**
     * {@return the model of that name; unknown names throw {@link IllegalArgumentException} with the list of known
     * ones}
     *
     * @param name one of {@link #names}
     */
    public static Net byName(String name) {
        return byName(name, null, 0);
    }

    /**
     * {@return the model of that name for other images or other classes} LeNets take what they were made for only.
     *
     * @param name one of {@link #names}
     * @param input shape of an image, or null for that of the data the network was made for
     * @param classes number of classes, or 0 for that of the data the network was made for
     */
    public static Net byName(String name, @Nullable Shape input, int classes) {
        return switch (name) {
            case "lenet5" -> lenet5();
            case "lenet5-relu" -> lenet5Relu();
            case "lenet300" -> lenet300();
            case "mnist-teacher" -> mnistTeacher(name, or(input, MNIST), or(classes, 10));
            case "resnet20" -> cifarResnet(name, 3, or(input, CIFAR), or(classes, 10));
            case "resnet32" -> cifarResnet(name, 5, or(input, CIFAR), or(classes, 10));
            case "vgg11-cifar" -> vgg(name, VGG11, false, false, or(input, CIFAR), or(classes, 10));
            case "vgg11-bn-cifar" -> vgg(name, VGG11, true, false, or(input, CIFAR), or(classes, 10));
            case "vgg16-cifar" -> vgg(name, VGG16, false, false, or(input, CIFAR), or(classes, 10));
            case "vgg16-bn-cifar" -> vgg(name, VGG16, true, false, or(input, CIFAR), or(classes, 10));
            case "alexnet" -> alexnet(name, or(input, Shape.of(3, 227, 227)), or(classes, 1000));
            case "alexnet-torchvision" -> alexnetOfOneTower(name, or(input, IMAGENET), or(classes, 1000));
            case "vgg11" -> vgg(name, VGG11, false, true, or(input, IMAGENET), or(classes, 1000));
            case "vgg11-bn" -> vgg(name, VGG11, true, true, or(input, IMAGENET), or(classes, 1000));
            case "vgg16" -> vgg(name, VGG16, false, true, or(input, IMAGENET), or(classes, 1000));
            case "vgg16-bn" -> vgg(name, VGG16, true, true, or(input, IMAGENET), or(classes, 1000));
            case "resnet18" -> resnet(name, new int[]{2, 2, 2, 2}, false, or(input, IMAGENET), or(classes, 1000));
            case "resnet50" -> resnet(name, new int[]{3, 4, 6, 3}, true, or(input, IMAGENET), or(classes, 1000));
            case "mobilenet-v2" -> MobileModels.mobileNetV2(name, false, or(input, IMAGENET), or(classes, 1000));
            case "mobilenet-v2-cifar" -> MobileModels.mobileNetV2(name, true, or(input, CIFAR), or(classes, 10));
            case "squeezenet1-1" -> MobileModels.squeezeNet(name, or(input, IMAGENET), or(classes, 1000));
            case "densenet121" -> BranchedModels.denseNet121(name, or(input, IMAGENET), or(classes, 1000));
            case "shufflenet-v2" -> MobileModels.shuffleNetV2(name, or(input, IMAGENET), or(classes, 1000));
            case "efficientnet-b0" -> MobileModels.efficientNetB0(name, or(input, IMAGENET), or(classes, 1000));
            case "inception-v3" -> BranchedModels.inceptionV3(name, or(input, Shape.of(3, 299, 299)),
                    or(classes, 1000));
            case "unet" -> BranchedModels.uNet(name, or(input, Shape.of(3, 256, 256)), or(classes, 1));
            case "vit-b-16" -> SequenceModels.vision(name, 768, 12, 12, or(input, IMAGENET), or(classes, 1000));
            case "vit-tiny" -> SequenceModels.vision(name, 192, 12, 3, or(input, IMAGENET), or(classes, 1000));
            case "bert-mini" -> SequenceModels.text(name, or(input, Shape.of(128)), or(classes, 2));
            case "lstm-tagger" -> SequenceModels.tagger(name, or(input, Shape.of(16)), or(classes, 6));
            default -> throw new IllegalArgumentException(
                    "unknown model '" + name + "'; known are " + String.join(", ", NAMES));
        };
    }

    private static Shape or(Shape given, Shape usual) {
        return given == null ? usual : given;
    }

    private static int or(int given, int usual) {
        return given == 0 ? usual : given;
    }

    /**
     * {@return LeNet-5 in the form that Caffe made common: 430,500 weights and 580 biases}
     *
     * <p>ReLU follows the first fully connected layer only. Dropout stands before the last layer.
     */
    public static Net lenet5() {
        return new NetBuilder("lenet5", MNIST).conv("conv1", 20, 5, 1, 0, true).maxPool("pool1", 2, 2, 0)
                .conv("conv2", 50, 5, 1, 0, true).maxPool("pool2", 2, 2, 0).flatten("flatten").linear("fc1", 500)
                .relu("relu1").dropout("drop1", 0.5f).linear("fc2", 10).build();
    }

    /**
     * {@return LeNet-5 of the same weights as {@link #lenet5}, with ReLU behind the convolutions too}
     *
     * <p>As the TensorFlow code has it that came with arXiv 1804.03294.
     */
    public static Net lenet5Relu() {
        return new NetBuilder("lenet5-relu", MNIST).conv("conv1", 20, 5, 1, 0, true).relu("relu1")
                .maxPool("pool1", 2, 2, 0).conv("conv2", 50, 5, 1, 0, true).relu("relu2").maxPool("pool2", 2, 2, 0)
                .flatten("flatten").linear("fc1", 500).relu("relu3").dropout("drop1", 0.5f).linear("fc2", 10).build();
    }

    /** {@return LeNet-300-100: two hidden layers of 300 and 100 units, 266,200 weights and 410 biases} */
    public static Net lenet300() {
        return new NetBuilder("lenet300", MNIST).flatten("flatten").linear("fc1", 300).relu("relu1")
                .dropout("drop1", 0.3f).linear("fc2", 100).relu("relu2").dropout("drop2", 0.3f).linear("fc3", 10)
                .build();
    }

    /** Convolutions with batch normalisation, from which smaller networks of small grey images learn: 343,472 weights. */
    private static Net mnistTeacher(String name, Shape input, int classes) {
        NetBuilder layers = new NetBuilder(name, input);
        for (int stage = 1; stage <= 2; stage++) {
            for (int layer = 2 * stage - 1; layer <= 2 * stage; layer++) {
                layers.conv("conv" + layer, 48 * stage, 3, 1, 0, false).norm("bn" + layer).relu("relu" + layer);
            }
            layers.maxPool("pool" + stage, 2, 2, 0);
        }
        return layers.flatten("flatten").linear("fc1", 128).relu("relu5").dropout("drop1", 0.4f)
                .linear("fc2", classes).build();
    }

    /**
     * AlexNet as in Caffe (bvlc_alexnet; Krizhevsky, Sutskever, Hinton 2012): grouped convolutions and response
     * normalisation, 60,965,224 weights and biases.
     */
    private static Net alexnet(String name, Shape input, int classes) {
        NetBuilder layers = new NetBuilder(name, input);
        layers.conv("conv1", 96, 11, 4, 0, true).relu("relu1").add("norm1", new ResponseNorm(5, 1e-4f, 0.75f, 1))
                .maxPool("pool1", 3, 2, 0);
        layers.groupedConv("conv2", 256, 5, 2, 2).relu("relu2").add("norm2", new ResponseNorm(5, 1e-4f, 0.75f, 1))
                .maxPool("pool2", 3, 2, 0);
        layers.groupedConv("conv3", 384, 3, 1, 1).relu("relu3").groupedConv("conv4", 384, 3, 1, 2).relu("relu4")
                .groupedConv("conv5", 256, 3, 1, 2).relu("relu5").maxPool("pool5", 3, 2, 0);
        layers.flatten("flatten").linear("fc6", 4096).relu("relu6").dropout("drop6", 0.5f).linear("fc7", 4096)
                .relu("relu7")
                .dropout("drop7", 0.5f).linear("fc8", classes);
        return layers.build();
    }

    /** AlexNet as in torchvision: one tower, no normalisation (Krizhevsky, 1404.5997), 61,100,840 weights and biases. */
    private static Net alexnetOfOneTower(String name, Shape input, int classes) {
        NetBuilder layers = new NetBuilder(name, input);
        layers.conv("features.0", 64, 11, 4, 2, true).relu("features.1").maxPool("features.2", 3, 2, 0)
                .conv("features.3", 192, 5, 1, 2, true).relu("features.4").maxPool("features.5", 3, 2, 0)
                .conv("features.6", 384, 3, 1, 1, true).relu("features.7")
                .conv("features.8", 256, 3, 1, 1, true).relu("features.9")
                .conv("features.10", 256, 3, 1, 1, true).relu("features.11").maxPool("features.12", 3, 2, 0);
        layers.flatten("flatten").dropout("classifier.0", 0.5f).linear("classifier.1", 4096).relu("classifier.2")
                .dropout("classifier.3", 0.5f).linear("classifier.4", 4096).relu("classifier.5")
                .linear("classifier.6", classes);
        return layers.build();
    }

    /**
     * VGG (Simonyan, Zisserman, 1409.1556), configurations A and D; VGG-16 has 138,357,544 weights and biases.
     *
     * @param head three fully connected layers, as for ImageNet; otherwise one, as is usual for CIFAR
     */
    private static Net vgg(String name, int[] channels, boolean norm, boolean head, Shape input, int classes) {
        NetBuilder layers = new NetBuilder(name, input);
        int at = 0;
        for (int out : channels) {
            if (out == 0) {
                layers.maxPool("features." + at++, 2, 2, 0);
                continue;
            }
            layers.conv("features." + at++, out, 3, 1, 1, true);
            if (norm) {
                layers.norm("features." + at++);
            }
            layers.relu("features." + at++);
        }
        layers.flatten("flatten");
        if (head) {
            layers.linear("classifier.0", 4096).relu("classifier.1").dropout("classifier.2", 0.5f)
                    .linear("classifier.3", 4096).relu("classifier.4").dropout("classifier.5", 0.5f)
                    .linear("classifier.6", classes);
        } else {
            layers.linear("classifier", classes);
        }
        return layers.build();
    }

    /**
     * ResNet for CIFAR (He, Zhang, Ren, Sun, 1512.03385, section 4.2): three stages of {@code blocks} blocks, shortcuts
     * without weights (option A). ResNet-20 has 269,722 weights and biases.
     */
    private static Net cifarResnet(String name, int blocks, Shape input, int classes) {
        NetBuilder layers = new NetBuilder(name, input).conv("conv1", 16, 3, 1, 1, false).norm("bn1").relu("relu");
        for (int stage = 1; stage <= 3; stage++) {
            for (int block = 0; block < blocks; block++) {
                String at = "layer" + stage + "." + block;
                int out = 8 << stage;
                int stride = stage > 1 && block == 0 ? 2 : 1;
                layers.residual(at, body -> twoConvolutions(body, at, out, stride), shortcut -> {
                    if (stride > 1) {
                        shortcut.add(at + ".shortcut", new Subsample(out, stride));
                    }
                }).relu(at + ".relu");
            }
        }
        layers.globalAvgPool("avgpool").flatten("flatten").linear("linear", classes);
        return layers.build();
    }

    private static void twoConvolutions(NetBuilder body, String at, int out, int stride) {
        body.conv(at + ".conv1", out, 3, stride, 1, false).norm(at + ".bn1").relu(at + ".relu1")
                .conv(at + ".conv2", out, 3, 1, 1, false).norm(at + ".bn2");
    }

    /**
     * ResNet for ImageNet (He, Zhang, Ren, Sun, 1512.03385), shortcuts by projection where shapes change (option B); the
     * stride of a bottleneck is at its 3x3 convolution, as in torchvision. ResNet-18 has 11,689,512 weights and biases,
     * ResNet-50 25,557,032.
     */
    private static Net resnet(String name, int[] blocks, boolean bottleneck, Shape input, int classes) {
        NetBuilder layers = new NetBuilder(name, input).conv("conv1", 64, 7, 2, 3, false).norm("bn1").relu("relu")
                .maxPool("maxpool", 3, 2, 1);
        for (int stage = 0; stage < blocks.length; stage++) {
            for (int block = 0; block < blocks[stage]; block++) {
                String at = "layer" + (stage + 1) + "." + block;
                int width = 64 << stage;
                int out = bottleneck ? 4 * width : width;
                int stride = stage > 0 && block == 0 ? 2 : 1;
                boolean projected = stride > 1 || layers.shape().channels() != out;
                layers.residual(at, body -> {
                    if (bottleneck) {
                        body.conv(at + ".conv1", width, 1, 1, 0, false).norm(at + ".bn1").relu(at + ".relu1")
                                .conv(at + ".conv2", width, 3, stride, 1, false).norm(at + ".bn2").relu(at + ".relu2")
                                .conv(at + ".conv3", out, 1, 1, 0, false).norm(at + ".bn3");
                    } else {
                        twoConvolutions(body, at, out, stride);
                    }
                }, shortcut -> {
                    if (projected) {
                        shortcut.conv(at + ".downsample.0", out, 1, stride, 0, false).norm(at + ".downsample.1");
                    }
                }).relu(at + ".relu");
            }
        }
        layers.globalAvgPool("avgpool").flatten("flatten").linear("fc", classes);
        return layers.build();
    }
}
